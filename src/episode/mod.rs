//! Samplers, draws (frozen episodes), and dealing a draw into views.

mod check;
mod deal;
mod dirichlet;
mod draw;
mod error;
mod finding;
mod fixed_support;
mod flaw;
mod folds;
mod frozen;
mod head;
mod naming;
mod pool;
mod read;
mod sampler;
mod threshold;
mod urn;
mod variable;
mod without_repetition;
mod write;

pub use check::{check, check_hash};
pub use deal::{Dealt, Order, alike, deal, deal_class_embeddings};
pub use draw::{Draw, Episode};
pub use error::SampleError;
pub use finding::{Cases, Finding, Maker, Severity};
pub use fixed_support::{fixed_support, held_out, other_classes};
pub use flaw::{DrawError, Flaw, Otherwise};
pub use folds::{Folds, folds};
pub use frozen::{DrawText, Frozen};
pub use head::{Naming, draw_sha256};
pub use naming::escaped_id;
pub use pool::by_size;
pub use sampler::{Sampler, draw};
pub use threshold::threshold_draw;
pub use write::sha256;
