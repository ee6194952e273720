//! clusters.csv: which classes belong together, where the dataset says so.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::error::{Flaw, ReadError};
use super::sheet::Sheet;
use crate::results::rows::CLUSTER_COLUMNS;

/// The cluster of each class, by protocol.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    of: HashMap<(String, String), String>,
    protocols: HashSet<String>,
}

impl Clusters {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Clusters, ReadError> {
        let mut sheet = Sheet::open(path, CLUSTER_COLUMNS)?;
        let mut clusters = Clusters::default();
        while sheet.next()? {
            let class = (sheet.cell(0).to_string(), sheet.cell(1).to_string());
            clusters.protocols.insert(class.0.clone());
            if clusters.of.insert(class, sheet.cell(2).to_string()).is_some() {
                return Err(sheet.flaw(Flaw::Twice { what: format!("class {}", sheet.cell(1)) }));
            }
        }
        Ok(clusters)
    }

    /// What is left out together with a class that was met in `sheet`: its cluster, or the class where its protocol has
    /// no clusters. Where one class of a protocol has a row, all must have one.
    pub(super) fn unit(&self, sheet: &Sheet, protocol: &str, class: &str) -> Result<String, ReadError> {
        if !self.protocols.contains(protocol) {
            return Ok(class.to_string());
        }
        let cluster = self.of.get(&(protocol.to_string(), class.to_string()));
        cluster.cloned().ok_or_else(|| sheet.flaw(Flaw::NoCluster { class: class.to_string() }))
    }
}
