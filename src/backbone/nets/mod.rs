//! Networks of images that others have trained, each written down once. A further one is a file and a line here.

mod blocks;
mod cifar;
mod config;
mod densenet;
mod inception;
mod kind;
mod mobilenet;
mod mobilenet_v3;
mod network;
mod positions;
mod resnet;
mod resnet12;
mod squeezenet;
mod transformer;
mod vgg;
mod vit;
mod vit_names;
mod weights;

pub(in crate::backbone) use blocks::Blocks;
pub use blocks::{Encoder, Pool};
pub use config::NetConfig;
pub use kind::{Kind, Plan, kind, kinds};
pub use network::Net;
pub(in crate::backbone) use transformer::{activation, joined};
pub(in crate::backbone) use vit_names::{block, clip, inside, replaced};
pub(in crate::backbone) use weights::fill;
pub use weights::{Asked, Preprocessing, random, read};
