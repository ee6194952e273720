//! Learners that see all queries of an episode at once, one file each, and what they share.
//!
//! They work on the host, one episode after another, most of them in double precision: a batch of them is a loop of small
//! iterations, which neither a matrix product nor a GPU makes faster.

mod alpha_tim;
mod bd_cspn;
mod descent;
mod episode;
mod laplacian_shot;
mod mean_shift;
mod pt_map;
mod rectified;
mod soft_k_means;
mod tim_adm;
mod tim_gd;
mod transductive_fine_tune;

use super::{Registered, Registry};

/// Registers all of them.
pub(super) fn register<D: Registered>(list: &mut Registry<D>) {
    bd_cspn::register(list);
    laplacian_shot::register(list);
    tim_gd::register(list);
    tim_adm::register(list);
    alpha_tim::register(list);
    pt_map::register(list);
    transductive_fine_tune::register(list);
    soft_k_means::register(list);
    mean_shift::register(list);
}
