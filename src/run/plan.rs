//! The second step from a request to a run: everything is checked that can be checked without reading features.

use super::admission::{Asked, admitted, asked_learners};
use super::contender::Selections;
use super::error::RunError;
use super::rules::{Rules, all_rules};
use super::until::{self, Until};
use crate::learner::Registry;
use crate::results::Request;
use crate::tensor::Cpu;

/// A checked request.
pub(crate) struct Plan<'a> {
    pub(crate) request: &'a Request,
    pub(crate) rules: Vec<Rules>,
    /// The learners that were asked for; none where all are meant.
    pub(crate) asked: Vec<Asked>,
    pub(crate) selections: Selections,
    pub(crate) until: Option<Until>,
}

impl<'a> Plan<'a> {
    /// Checks a request.
    pub(crate) fn of(request: &'a Request, registry: &Registry<Cpu>) -> Result<Plan<'a>, RunError> {
        let asked = asked_learners(registry, &request.learners)?;
        let selections = Selections::read(&request.selected)?;
        let rules = all_rules(&request.protocols, request.episodes)?;
        if request.draw.is_some() && rules.len() > 1 {
            return Err(RunError::Request(format!(
                "--draw goes with one protocol, {} are given",
                rules.len()
            )));
        }
        let points = |text: &String| until::points(text).map_err(RunError::Request);
        let until = request.until.as_ref().map(points).transpose()?;
        for rules in &rules {
            admitted(registry, &rules.protocol, &asked)?;
            if until.is_some() {
                until::bounds(&rules.protocol)?;
            }
        }
        Ok(Plan { request, rules, asked, selections, until })
    }
}
