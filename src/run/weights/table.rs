//! Weights that are known by name, and where their publishers keep them.

/// Where weights lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// A repository of the Hugging Face hub, with the revision that is taken where none is asked for.
    Hub(&'static str, &'static str),
    /// An address, whose name ends in the first digits of its SHA-256, and what is to be known beside it: shorter side,
    /// crop and published top-1 accuracy.
    Torch(&'static str, usize, usize, &'static str),
}

/// Weights that are known by name.
#[derive(Clone, Copy, Debug)]
pub struct KnownWeights {
    /// Their name, that of the network.
    pub name: &'static str,
    /// Where they lie.
    pub home: Home,
}

const fn hub(name: &'static str, repository: &'static str) -> KnownWeights {
    KnownWeights { name, home: Home::Hub(repository, "main") }
}

const fn torch(name: &'static str, url: &'static str, top1: &'static str) -> KnownWeights {
    KnownWeights { name, home: Home::Torch(url, 256, 224, top1) }
}

/// All of them. Repositories of timm hold torchvision's own numbers where their name ends in `.tv_in1k`.
pub const KNOWN_WEIGHTS: &[KnownWeights] = &[
    hub("vgg11", "timm/vgg11.tv_in1k"),
    hub("vgg13", "timm/vgg13.tv_in1k"),
    hub("vgg16", "timm/vgg16.tv_in1k"),
    hub("vgg19", "timm/vgg19.tv_in1k"),
    hub("vgg11_bn", "timm/vgg11_bn.tv_in1k"),
    hub("vgg13_bn", "timm/vgg13_bn.tv_in1k"),
    hub("vgg16_bn", "timm/vgg16_bn.tv_in1k"),
    hub("vgg19_bn", "timm/vgg19_bn.tv_in1k"),
    hub("resnet18", "timm/resnet18.tv_in1k"),
    hub("resnet34", "timm/resnet34.tv_in1k"),
    hub("resnet50", "timm/resnet50.tv_in1k"),
    hub("resnet101", "timm/resnet101.tv_in1k"),
    hub("resnet152", "timm/resnet152.tv_in1k"),
    hub("inception_v3", "timm/inception_v3.tv_in1k"),
    hub("mobilenet_v1", "timm/mobilenetv1_100.ra4_e3600_r224_in1k"),
    hub("mobilenet_v2", "timm/mobilenetv2_100.ra_in1k"),
    hub("mobilenet_v3_small", "timm/mobilenetv3_small_100.lamb_in1k"),
    hub("mobilenet_v3_large", "timm/mobilenetv3_large_100.ra_in1k"),
    torch("squeezenet1_0", "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth", "0.58092"),
    torch("squeezenet1_1", "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth", "0.58178"),
    hub("densenet121", "timm/densenet121.tv_in1k"),
    hub("vit_b_16", "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k"),
    hub("vit_s_16", "timm/vit_small_patch16_224.augreg_in21k_ft_in1k"),
    hub("dinov2_s", "facebook/dinov2-small"),
    hub("clip_b_32", "openai/clip-vit-base-patch32"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_and_every_home_can_be_asked() {
        for (place, known) in KNOWN_WEIGHTS.iter().enumerate() {
            assert!(KNOWN_WEIGHTS[..place].iter().all(|other| other.name != known.name), "{}", known.name);
            match known.home {
                Home::Hub(repository, _) => assert_eq!(repository.split('/').count(), 2, "{}", known.name),
                Home::Torch(url, ..) => {
                    let digits = url.strip_suffix(".pth").and_then(|url| url.rsplit('-').next()).unwrap();
                    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{url}");
                }
            }
        }
    }
}
