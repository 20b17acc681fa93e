//! Puts a checkpoint's tensors where the kernels find them.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    error::Error,
    pack::Packed,
    plan::{Param, Plan},
    weights::Weights,
};

/// Problems that an error lists.
const LISTED: usize = 10;

/// The parameters of a plan in its order; those that are the same in memory share a buffer.
pub(crate) fn bind(plan: &Plan, weights: &Weights) -> Result<Vec<Arc<Packed>>, Error> {
    let mut problems = BTreeSet::new();
    for param in &plan.params {
        if let Err(problem) = weights.find(&param.tensor, &param.shape) {
            problems.insert(format!("`{}` {problem}", param.tensor));
        }
    }
    let known: BTreeSet<&str> = plan.params.iter().map(|param| param.tensor.as_str()).collect();
    for name in weights.names() {
        if !known.contains(name) && !plan.ignored_tensors.iter().any(|pattern| matches(pattern, name)) {
            problems.insert(format!("`{name}` has no place in the model"));
        }
    }
    if !problems.is_empty() {
        let more = problems.len().saturating_sub(LISTED);
        let problems = problems.into_iter().take(LISTED).collect();
        return Err(Error::Weights { model: plan.model.clone(), problems, more });
    }
    let shortage = || Error::Memory {
        what: format!("the weights of `{}`", plan.model),
        bytes: plan.weight_bytes(),
        help: "end other programs, or use a machine with more memory".into(),
    };

    let mut bound: Vec<Arc<Packed>> = Vec::with_capacity(plan.params.len());
    for (index, param) in plan.params.iter().enumerate() {
        let packed = match earlier(&plan.params, index) {
            Some(twin) => bound[twin].clone(),
            None => match weights.find(&param.tensor, &param.shape) {
                Ok(values) => Arc::new(Packed::new(param, &values).ok_or_else(shortage)?),
                Err(problem) => {
                    let problems = vec![format!("`{}` {problem}", param.tensor)];
                    return Err(Error::Weights { model: plan.model.clone(), problems, more: 0 });
                }
            },
        };
        bound.push(packed);
    }
    Ok(bound)
}

/// A parameter before number `index` that is the same in memory.
pub(crate) fn earlier(params: &[Param], index: usize) -> Option<usize> {
    params[..index].iter().position(|other| other.same_memory(&params[index]))
}

/// Whether a pattern, which may end in `*`, covers a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}
