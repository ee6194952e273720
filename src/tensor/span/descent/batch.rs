//! The descent over all episodes of a batch at once, composed from stock operations.

use dfdx::shapes::{Axes2, Axis};
use dfdx::tensor_ops::{BroadcastTo, SumTo, TryAdd, TryDiv, TryMul, TrySub};

use super::settings::{Descent, Head, Init, TINY};
use crate::tensor::span::solution::Solution;
use crate::tensor::{Backend, Labels, Tensor2, Tensor3, TensorError, ops, stock as composed};

/// One step after another over all episodes; the items that a mini-batch leaves out are masked.
pub fn stock<D: Backend>(
    device: &D,
    features: &Tensor3<D>,
    labels: &Labels,
    descent: &Descent<'_>,
) -> Result<Solution<D>, TensorError> {
    let gram = &ops::gram(features)?;
    let (episodes, n, way) = (labels.episodes(), labels.slots(), labels.way());
    let error = composed::failure::<D>;
    let truth = composed::transpose(&labels.membership(device)?)?;
    let plan: Vec<Option<Vec<Vec<usize>>>> =
        (0..episodes).map(|e| descent.batches.map(|b| b(e, labels.of(e).len()))).collect();
    let count = plan.iter().map(|p| p.as_ref().map_or(descent.epochs, Vec::len)).max().unwrap_or(0);
    let mut a = start(device, labels, descent)?;
    let mut b = match (descent.init, descent.head) {
        (Init::Prototype, Head::Linear) => {
            let averaging = labels.averaging(device)?;
            let norms = composed::matmul(&averaging, gram)?.try_mul(averaging).map_err(error)?;
            let norms: Tensor2<D> = norms.try_sum::<_, Axis<2>>().map_err(error)?;
            norms.try_mul(-1.0).map_err(error)?
        }
        _ => device.tensor2((episodes, way), vec![0.0; episodes * way])?,
    };
    let mut last: Option<(Tensor3<D>, Tensor2<D>)> = None;
    let wide = |share: Tensor2<D>| composed::widen(&composed::column(share)?, way);
    let mut share = wide(shares(device, labels, &plan, 0)?)?;
    for step in 0..count {
        if descent.batches.is_some() && step > 0 {
            share = wide(shares(device, labels, &plan, step)?)?;
        }
        let products = composed::matmul(gram, &a)?;
        let (grad_a, grad_b) = match descent.head {
            Head::Linear => {
                let bias = b.clone().try_broadcast_like::<_, Axis<1>>(&(episodes, n, way)).map_err(error)?;
                let logits = products.try_add(bias).map_err(error)?;
                let slope = composed::softmax(logits)?.try_sub(truth.clone()).map_err(error)?;
                let slope = composed::multiply(slope, &share)?;
                let sum: Tensor2<D> = slope.clone().try_sum::<_, Axis<1>>().map_err(error)?;
                (slope, Some(sum))
            }
            Head::Cosine { scale } => {
                (cosine_gradient(gram, &a, products, &truth, &share, scale as f32)?, None)
            }
        };
        let (keep, take) = if last.is_none() || descent.momentum == 0.0 {
            (0.0, 1.0)
        } else {
            (descent.momentum as f32, 1.0 - descent.dampening as f32)
        };
        let decay = descent.weight_decay as f32;
        let (lr, old) = (descent.lr as f32, last.take());
        let mut step_a = composed::scale(a.clone(), decay)?.try_add(grad_a).map_err(error)?;
        step_a = composed::scale(step_a, take)?;
        let mut step_b = b.clone().try_mul(decay).map_err(error)?;
        if let Some(grad_b) = grad_b {
            step_b = step_b.try_add(grad_b).map_err(error)?;
        }
        step_b = step_b.try_mul(take).map_err(error)?;
        if let Some((old_a, old_b)) = old {
            step_a = step_a.try_add(composed::scale(old_a, keep)?).map_err(error)?;
            step_b = step_b.try_add(old_b.try_mul(keep).map_err(error)?).map_err(error)?;
        }
        let (mut move_a, mut move_b) = (step_a.clone(), step_b.clone());
        if let Some(going) = going(&plan, step) {
            // Momentum and decay would move an episode on whose plan has ended.
            let going = device.tensor1(episodes, going)?;
            let wide_a = going.clone().try_broadcast_like::<_, Axes2<1, 2>>(&(episodes, n, way));
            let wide_b = going.try_broadcast_like::<_, Axis<1>>(&(episodes, way)).map_err(error)?;
            move_a = composed::multiply(move_a, &wide_a.map_err(error)?)?;
            move_b = move_b.try_mul(wide_b).map_err(error)?;
        }
        a = a.try_sub(composed::scale(move_a, lr)?).map_err(error)?;
        b = b.try_sub(move_b.try_mul(lr).map_err(error)?).map_err(error)?;
        last = Some((step_a, step_b));
    }
    let bias = (descent.head == Head::Linear).then_some(b);
    Ok(Solution::of(a, bias, 0))
}

/// Coefficients at the start.
fn start<D: Backend>(device: &D, labels: &Labels, descent: &Descent<'_>) -> Result<Tensor3<D>, TensorError> {
    match descent.init {
        Init::Zero => composed::zeros(device, (labels.episodes(), labels.slots(), labels.way())),
        Init::Prototype => {
            let factor = if descent.head == Head::Linear { 2.0 } else { 1.0 };
            composed::scale(composed::transpose(&labels.averaging(device)?)?, factor)
        }
    }
}

/// 1 for an episode whose plan has this step, 0 for one that has ended; nothing where all have it.
fn going(plan: &[Option<Vec<Vec<usize>>>], step: usize) -> Option<Vec<f32>> {
    let has = |plan: &Option<Vec<Vec<usize>>>| plan.as_ref().is_none_or(|plan| step < plan.len());
    let going: Vec<f32> = plan.iter().map(|plan| f32::from(has(plan))).collect();
    going.contains(&0.0).then_some(going)
}

/// What each support item weighs in this step's mean: (episodes, support).
fn shares<D: Backend>(
    device: &D,
    labels: &Labels,
    plan: &[Option<Vec<Vec<usize>>>],
    step: usize,
) -> Result<Tensor2<D>, TensorError> {
    let n = labels.slots();
    let mut out = vec![0.0; labels.episodes() * n];
    for (episode, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
        match &plan[episode] {
            None => {
                let filled = labels.of(episode).len();
                out[..filled].fill(1.0 / filled as f32);
            }
            Some(batches) => {
                let batch = batches.get(step).map_or(&[][..], Vec::as_slice);
                batch.iter().for_each(|i| out[*i] = 1.0 / batch.len() as f32);
            }
        }
    }
    device.tensor2((labels.episodes(), n), out)
}

/// See the host's version for the formula.
fn cosine_gradient<D: Backend>(
    gram: &Tensor3<D>,
    a: &Tensor3<D>,
    products: Tensor3<D>,
    truth: &Tensor3<D>,
    share: &Tensor3<D>,
    scale: f32,
) -> Result<Tensor3<D>, TensorError> {
    use dfdx::shapes::HasShape;
    let error = composed::failure::<D>;
    let shape = *a.shape();
    let tiny = TINY as f32;
    let squared: Tensor2<D> =
        composed::multiply(a.clone(), &products)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let squared = squared.try_clamp(tiny, f32::MAX).map_err(error)?;
    let length = squared.clone().try_sqrt().map_err(error)?;
    let length = length.try_broadcast_like::<_, Axis<1>>(&shape).map_err(error)?;
    let own = composed::diagonal(gram)?.try_clamp(tiny, f32::MAX).map_err(error)?;
    let own = own.try_sqrt().map_err(error)?.try_broadcast_like::<_, Axis<2>>(&shape).map_err(error)?;
    let both = length.try_mul(own).map_err(error)?;
    let cosines = products.try_div(both.clone()).map_err(error)?;
    let slope = composed::softmax(composed::scale(cosines.clone(), scale)?)?;
    let slope = slope.try_sub(truth.clone()).map_err(error)?;
    let slope = composed::scale(composed::multiply(slope, share)?, scale)?;
    let shrink: Tensor2<D> = composed::multiply(cosines, &slope)?.try_sum::<_, Axis<1>>().map_err(error)?;
    let shrink = shrink.try_div(squared).map_err(error)?;
    let shrink = shrink.try_broadcast_like::<_, Axis<1>>(&shape).map_err(error)?;
    let direct = slope.try_div(both).map_err(error)?;
    direct.try_sub(composed::multiply(a.clone(), &shrink)?).map_err(error)
}
