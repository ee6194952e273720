//! Names of networks of texts in files of the transformers library, as the blocks of image networks have them.

use super::Family;
use crate::backbone::nets::{block, clip, inside, replaced};
use crate::backbone::tensors::NamedTensors;

/// What stands around the blocks, what inside one, and the parts of a layer that is one here.
struct Names {
    prefix: &'static str,
    around: &'static [(&'static str, &'static str)],
    blocks: &'static str,
    inside: &'static [(&'static str, &'static str)],
    parts: &'static [(&'static str, &'static str)],
    /// Beginnings of names that no pass uses.
    unused: &'static [&'static str],
}

const BERT: Names = Names {
    prefix: "bert.",
    around: &[
        ("embeddings.word_embeddings.weight", "words"),
        ("embeddings.position_embeddings.weight", "pos_embed"),
        ("embeddings.token_type_embeddings.weight", "types"),
        ("embeddings.LayerNorm.", "norm_pre."),
    ],
    blocks: "encoder.layer.",
    inside: &[
        ("attention.output.dense.", "attn.proj."),
        ("attention.output.LayerNorm.", "norm1."),
        ("intermediate.dense.", "mlp.fc1."),
        ("output.dense.", "mlp.fc2."),
        ("output.LayerNorm.", "norm2."),
    ],
    parts: &[
        ("attention.self.query.", "query"),
        ("attention.self.key.", "key"),
        ("attention.self.value.", "value"),
    ],
    unused: &["pooler.", "cls.", "classifier.", "embeddings.position_ids"],
};

const DISTILBERT: Names = Names {
    prefix: "distilbert.",
    around: &[
        ("embeddings.word_embeddings.weight", "words"),
        ("embeddings.position_embeddings.weight", "pos_embed"),
        ("embeddings.LayerNorm.", "norm_pre."),
    ],
    blocks: "transformer.layer.",
    inside: &[
        ("attention.out_lin.", "attn.proj."),
        ("sa_layer_norm.", "norm1."),
        ("ffn.lin1.", "mlp.fc1."),
        ("ffn.lin2.", "mlp.fc2."),
        ("output_layer_norm.", "norm2."),
    ],
    parts: &[("attention.q_lin.", "query"), ("attention.k_lin.", "key"), ("attention.v_lin.", "value")],
    unused: &["vocab_", "pre_classifier.", "classifier.", "qa_outputs."],
};

const GPT2: Names = Names {
    prefix: "transformer.",
    around: &[("wte.weight", "words"), ("wpe.weight", "pos_embed"), ("ln_f.", "norm.")],
    blocks: "h.",
    inside: &[
        ("ln_1.", "norm1."),
        ("attn.c_attn.", "attn.qkv."),
        ("attn.c_proj.", "attn.proj."),
        ("ln_2.", "norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
    ],
    parts: &[],
    unused: &["lm_head.", "score."],
};

/// A name of a file as the network has it; nothing for what no pass uses.
pub(super) fn name(written: &str, family: Family) -> Option<String> {
    let names = match family {
        Family::Bert => &BERT,
        Family::DistilBert => &DISTILBERT,
        Family::Gpt2 => &GPT2,
        Family::ClipText => {
            let of_others = ["vision_model.", "visual_projection.", "logit_scale", "logit_bias"];
            let unused = of_others.iter().any(|start| written.starts_with(start));
            return (!unused).then(|| clip(written.strip_prefix("text_model.").unwrap_or(written)));
        }
    };
    let bare = written.strip_prefix(names.prefix).unwrap_or(written);
    if names.unused.iter().any(|start| bare.starts_with(start)) {
        return None;
    }
    // What the first checkpoints called them.
    let bare =
        bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
    match block(&bare, &[names.blocks]) {
        // The mask of attention, which is no weight.
        Some((_, "attn.bias" | "attn.masked_bias")) if family == Family::Gpt2 => None,
        Some((number, rest)) => Some(inside(number, rest, names.inside, names.parts)),
        None => Some(replaced(&bare, names.around)),
    }
}

/// GPT-2 keeps the matrices of its blocks as (in, out).
pub(super) fn transpose(found: &mut NamedTensors, family: Family) {
    if family != Family::Gpt2 {
        return;
    }
    for (_, tensor) in found.tensors.iter_mut().filter(|(name, _)| name.starts_with("blocks.")) {
        let [rows, columns] = tensor.shape[..] else { continue };
        let at = |place: usize| tensor.values[place % rows * columns + place / rows];
        tensor.values = (0..rows * columns).map(at).collect();
        tensor.shape = vec![columns, rows];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_families_are_those_of_the_blocks() {
        let named = |written, family| name(written, family).unwrap_or_default();
        assert_eq!(
            named("bert.encoder.layer.2.attention.self.key.bias", Family::Bert),
            "blocks.2.attn.qkv.bias[key]"
        );
        assert_eq!(named("embeddings.LayerNorm.gamma", Family::Bert), "norm_pre.weight");
        assert_eq!(
            named("transformer.layer.0.ffn.lin2.weight", Family::DistilBert),
            "blocks.0.mlp.fc2.weight"
        );
        assert_eq!(named("transformer.h.1.attn.c_attn.weight", Family::Gpt2), "blocks.1.attn.qkv.weight");
        assert_eq!(named("h.1.attn.bias", Family::Gpt2), "");
        assert_eq!(named("text_model.embeddings.token_embedding.weight", Family::ClipText), "words");
        assert_eq!(named("text_projection.weight", Family::ClipText), "text_projection.weight");
    }
}
