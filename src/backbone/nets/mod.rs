//! Networks of images that others have trained, each written down once. A further one is a file and a line here.

mod cifar;
mod config;
mod densenet;
mod inception;
mod kind;
mod mobilenet;
mod mobilenet_v3;
mod network;
mod resnet;
mod squeezenet;
mod vgg;
mod weights;

pub use config::NetConfig;
pub use kind::{Kind, Plan, kind, kinds};
pub use network::Net;
pub use weights::{Asked, Preprocessing, random, read};
