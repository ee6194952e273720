//! Vision transformers (Dosovitskiy et al. 2021), with those of DINOv2 (Oquab et al. 2023) and the image tower of CLIP (Radford et
//! al. 2021), under timm's names. The features are the class token behind the last normalisation, in CLIP projected.

use super::blocks::{Blocks, Encoder, Pool};
use super::kind::{Kind, Plan};
use super::vit_names::{clip_image, rename};
use crate::image::Filter;
use crate::tensor::net::{Activation, Builder, Conv, Dense, First, Graph};

const EPSILON: f32 = 1e-6;
const CLIP_EPSILON: f32 = 1e-5;

/// Vision transformers.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        also: &["vit_tiny_patch16_224", "deit_tiny_patch16_224"],
        ..vit("vit_ti_16", "vision transformer, tiny, patches of 16×16 pixels", encoder(16, 192, 12))
    },
    Kind {
        also: &["vit_small_patch16_224", "deit_small_patch16_224"],
        ..vit("vit_s_16", "vision transformer, small, patches of 16×16 pixels", encoder(16, 384, 12))
    },
    Kind {
        also: &["vit_base_patch16_224", "deit_base_patch16_224"],
        top1: Some(81.07),
        ..vit("vit_b_16", "vision transformer, base, patches of 16×16 pixels", encoder(16, 768, 12))
    },
    Kind {
        also: &["vit_base_patch32_224"],
        top1: Some(75.91),
        ..vit("vit_b_32", "vision transformer, base, patches of 32×32 pixels", encoder(32, 768, 12))
    },
    Kind {
        also: &["vit_large_patch16_224"],
        top1: Some(79.66),
        ..vit("vit_l_16", "vision transformer, large, patches of 16×16 pixels", encoder(16, 1024, 24))
    },
    Kind {
        also: &["vit_small_patch14_dinov2"],
        ..dino("dinov2_s_14", "DINOv2, small, patches of 14×14 pixels", encoder(14, 384, 12))
    },
    Kind {
        also: &["vit_base_patch14_dinov2"],
        ..dino("dinov2_b_14", "DINOv2, base, patches of 14×14 pixels", encoder(14, 768, 12))
    },
    Kind {
        also: &["vit_large_patch14_dinov2"],
        ..dino("dinov2_l_14", "DINOv2, large, patches of 14×14 pixels", encoder(14, 1024, 24))
    },
    clip("clip_vit_b_32", "image tower of CLIP, base, patches of 32×32 pixels", encoder(32, 768, 12), 512),
    clip("clip_vit_b_16", "image tower of CLIP, base, patches of 16×16 pixels", encoder(16, 768, 12), 512),
    clip("clip_vit_l_14", "image tower of CLIP, large, patches of 14×14 pixels", encoder(14, 1024, 24), 768),
];

const fn encoder(patch: usize, hidden: usize, depth: usize) -> Encoder {
    Encoder {
        patch,
        hidden,
        depth,
        heads: hidden / 64,
        middle: 4 * hidden,
        activation: Activation::Gelu,
        projection: 0,
        pool: Pool::Class,
    }
}

const fn vit(name: &'static str, about: &'static str, encoder: Encoder) -> Kind {
    Kind { describe, rename, encoder: Some(encoder), auxiliary: &["pooler."], ..Kind::new(name, about) }
}

const fn dino(name: &'static str, about: &'static str, encoder: Encoder) -> Kind {
    let auxiliary = &["embeddings.mask_token", "dinov2.embeddings.mask_token", "mask_token"];
    let trained_on = "lvd-142m";
    Kind {
        describe,
        rename,
        filter: Filter::Bicubic,
        auxiliary,
        trained_on,
        encoder: Some(encoder),
        ..Kind::new(name, about)
    }
}

const fn clip(name: &'static str, about: &'static str, encoder: Encoder, projection: usize) -> Kind {
    Kind {
        describe,
        rename: clip_image,
        resize: 224,
        filter: Filter::Bicubic,
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        std: [0.268_629_54, 0.261_302_58, 0.275_777_11],
        auxiliary: &["text_model.", "text_projection.", "logit_scale", "logit_bias"],
        trained_on: "wit-400m",
        encoder: Some(Encoder { activation: Activation::QuickGelu, projection, ..encoder }),
        ..Kind::new(name, about)
    }
}

fn describe(plan: &Plan) -> Graph {
    let (clip, dino) = (plan.name.starts_with("clip"), plan.name.starts_with("dinov2"));
    let Encoder { patch, depth, heads, activation, projection, pool, .. } = plan.encoder;
    let hidden = plan.width(plan.encoder.hidden / heads) * heads;
    let epsilon = plan.epsilon(if clip { CLIP_EPSILON } else { EPSILON });
    let (mut net, images) = Builder::new(plan.channels);
    let conv = Conv::new(hidden, patch).stride(patch).padding(0);
    let patches = net.conv(images, "patch_embed.proj", if clip { conv } else { conv.bias() });
    let grid = (plan.image.0 / patch, plan.image.1 / patch);
    let class = net.parameter("cls_token", &[1, 1, hidden], First::Normal(0.02), true);
    let shape = [1, grid.0 * grid.1 + 1, hidden];
    let positions = net.parameter("pos_embed", &shape, First::Normal(0.02), true);
    let mut x = net.tokens(patches, Some(class), positions, grid);
    if clip {
        x = net.layer_norm(x, "norm_pre", epsilon);
    }
    net.cut("tokens", x);
    let middle = plan.width(plan.encoder.middle);
    let blocks = Blocks { heads, middle, activation, epsilon, causal: false, scaled: dino };
    for number in 0..depth {
        x = blocks.before(&mut net, x, &format!("blocks.{number}"));
        net.cut(format!("blocks.{number}"), x);
    }
    let features = match pool {
        // A token is normalised by itself: only the one that is asked for.
        Pool::Class => {
            let class = net.token(x, 0);
            net.layer_norm(class, "norm", epsilon)
        }
        Pool::Mean => {
            let x = net.layer_norm(x, "norm", epsilon);
            net.mean(x, 1)
        }
        Pool::MeanNorm => {
            let mean = net.mean(x, 1);
            net.layer_norm(mean, "fc_norm", epsilon)
        }
    };
    if projection > 0 {
        net.cut("norm", features);
        let projected = net.dense(features, "visual_projection", Dense::new(projection).without_bias());
        return net.finish(projected, None);
    }
    let logits = plan.classes.map(|classes| net.dense(features, "head", Dense::new(classes)));
    net.finish(features, logits)
}
