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
pub use kind::{Kind, Plan};
pub use network::Net;
pub use weights::read;

/// All families of networks.
const FAMILIES: &[&[Kind]] = &[
    vgg::KINDS,
    resnet::KINDS,
    inception::KINDS,
    mobilenet::KINDS,
    mobilenet_v3::KINDS,
    squeezenet::KINDS,
    densenet::KINDS,
    cifar::KINDS,
];

/// All networks by name.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.iter().copied().flatten()
}

/// The network of a name, as people or the files of weights call it.
pub fn kind(name: &str) -> Option<&'static Kind> {
    // timm writes `resnet50.a1_in1k` for a network and how it was trained.
    let bare = name.split('.').next().unwrap_or(name);
    kinds().find(|kind| kind.name == bare || kind.also.contains(&bare))
}
