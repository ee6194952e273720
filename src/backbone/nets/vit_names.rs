//! Names of vision transformers in files of torchvision and Hugging Face, as timm has them.

/// Pieces of names of torchvision, `ViTModel` and `Dinov2Model`, and what timm writes for them; the first that fits is taken.
const PIECES: &[(&str, &str)] = &[
    ("class_token", "cls_token"),
    ("embeddings.cls_token", "cls_token"),
    ("encoder.pos_embedding", "pos_embed"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("conv_proj.", "patch_embed.proj."),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("encoder.ln.", "norm."),
    ("layernorm.", "norm."),
    ("heads.head.", "head."),
    ("classifier.", "head."),
];
/// The same inside a block.
const INSIDE: &[(&str, &str)] = &[
    ("ln_1.", "norm1."),
    ("ln_2.", "norm2."),
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("self_attention.in_proj_weight", "attn.qkv.weight"),
    ("self_attention.in_proj_bias", "attn.qkv.bias"),
    ("self_attention.out_proj.", "attn.proj."),
    ("attention.output.dense.", "attn.proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
    ("mlp.linear_1.", "mlp.fc1."),
    ("mlp.linear_2.", "mlp.fc2."),
    ("mlp.0.", "mlp.fc1."),
    ("mlp.3.", "mlp.fc2."),
    ("layer_scale1.lambda1", "ls1.gamma"),
    ("layer_scale2.lambda1", "ls2.gamma"),
];
/// Three layers that are one here, as parts of it: see `joined`.
const PARTS: &[(&str, &str)] = &[
    ("attention.attention.query.", "query"),
    ("attention.attention.key.", "key"),
    ("attention.attention.value.", "value"),
];
/// A tower of `CLIPModel`.
const CLIP: &[(&str, &str)] = &[
    ("embeddings.class_embedding", "cls_token"),
    ("embeddings.position_embedding.weight", "pos_embed"),
    ("embeddings.token_embedding.weight", "words"),
    ("embeddings.patch_embedding.", "patch_embed.proj."),
    ("pre_layrnorm.", "norm_pre."),
    ("post_layernorm.", "norm."),
    ("final_layer_norm.", "norm."),
];
const CLIP_INSIDE: &[(&str, &str)] =
    &[("layer_norm1.", "norm1."), ("layer_norm2.", "norm2."), ("self_attn.out_proj.", "attn.proj.")];
const CLIP_PARTS: &[(&str, &str)] =
    &[("self_attn.q_proj.", "query"), ("self_attn.k_proj.", "key"), ("self_attn.v_proj.", "value")];

/// A name of timm, torchvision or Hugging Face as timm has it.
pub(super) fn rename(name: &str) -> String {
    let bare = ["vit.", "dinov2."].iter().fold(name, |name, start| name.strip_prefix(start).unwrap_or(name));
    match block(bare, &["encoder.layers.encoder_layer_", "encoder.layer.", "blocks."]) {
        Some((number, rest)) => inside(number, rest, INSIDE, PARTS),
        None => replaced(bare, PIECES),
    }
}

/// A name of the image tower of `CLIPModel` as timm has it.
pub(super) fn clip_image(name: &str) -> String {
    clip(name.strip_prefix("vision_model.").unwrap_or(name))
}

/// A name inside a tower of `CLIPModel`.
pub(in crate::backbone) fn clip(bare: &str) -> String {
    match block(bare, &["encoder.layers."]) {
        Some((number, rest)) => inside(number, rest, CLIP_INSIDE, CLIP_PARTS),
        None => replaced(bare, CLIP),
    }
}

/// The number of a block and what follows it.
pub(in crate::backbone) fn block<'a>(name: &'a str, starts: &[&str]) -> Option<(&'a str, &'a str)> {
    starts.iter().find_map(|start| name.strip_prefix(start)?.split_once('.'))
}

/// A name inside a block.
pub(in crate::backbone) fn inside(
    number: &str,
    rest: &str,
    pieces: &[(&str, &str)],
    parts: &[(&str, &str)],
) -> String {
    for (start, part) in parts {
        if let Some(kind) = rest.strip_prefix(start) {
            return format!("blocks.{number}.attn.qkv.{kind}[{part}]");
        }
    }
    format!("blocks.{number}.{}", replaced(rest, pieces))
}

/// A name whose beginning is replaced.
pub(in crate::backbone) fn replaced(name: &str, pieces: &[(&str, &str)]) -> String {
    let found = pieces.iter().find_map(|(start, put)| Some(format!("{put}{}", name.strip_prefix(start)?)));
    found.unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_sources_are_those_of_timm() {
        let pairs = [
            ("encoder.layers.encoder_layer_3.self_attention.in_proj_weight", "blocks.3.attn.qkv.weight"),
            ("encoder.layers.encoder_layer_0.mlp.3.bias", "blocks.0.mlp.fc2.bias"),
            ("dinov2.encoder.layer.7.attention.attention.key.bias", "blocks.7.attn.qkv.bias[key]"),
            ("encoder.layer.7.attention.output.dense.weight", "blocks.7.attn.proj.weight"),
            ("vit.layernorm.weight", "norm.weight"),
            ("blocks.2.norm1.weight", "blocks.2.norm1.weight"),
            ("fc_norm.weight", "fc_norm.weight"),
        ];
        for (name, expected) in pairs {
            assert_eq!(rename(name), expected);
        }
        let clip = clip_image("vision_model.encoder.layers.1.self_attn.v_proj.weight");
        assert_eq!(clip, "blocks.1.attn.qkv.weight[value]");
        assert_eq!(clip_image("visual_projection.weight"), "visual_projection.weight");
    }
}
