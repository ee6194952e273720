//! clusters.csv: which classes belong together, where the dataset says so.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::error::{Flaw, ReadError};
use super::sheet::Sheet;
use crate::results::Table;
use crate::results::rows::{ClusterCells, header};

/// The cluster of each class, by protocol and data set.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    of: HashMap<[String; 3], String>,
    draws: HashSet<[String; 2]>,
}

impl Clusters {
    /// Reads the file.
    pub(super) fn read(path: &Path) -> Result<Clusters, ReadError> {
        let mut sheet = Sheet::open(path, &header::<ClusterCells>(false))?;
        let mut clusters = Clusters::default();
        while sheet.next()? {
            let ClusterCells { protocol, dataset, class, cluster } = sheet.read()?;
            clusters.draws.insert([protocol.clone(), dataset.clone()]);
            if clusters.of.insert([protocol, dataset, class.clone()], cluster).is_some() {
                return Err(sheet.flaw(Flaw::Twice { what: format!("class {class}") }));
            }
        }
        Ok(clusters)
    }

    /// What is left out together with a class that was met in `sheet`: its cluster, or the class where its protocol has
    /// no clusters. Where one class of a protocol has a row, all must have one.
    pub(super) fn unit(&self, sheet: &Sheet, table: &Table, class: &str) -> Result<String, ReadError> {
        let draw = [table.protocol.clone(), table.dataset.clone()];
        if !self.draws.contains(&draw) {
            return Ok(class.to_string());
        }
        let [protocol, dataset] = draw;
        let cluster = self.of.get(&[protocol, dataset, class.to_string()]);
        cluster.cloned().ok_or_else(|| sheet.flaw(Flaw::NoCluster { class: class.to_string() }))
    }
}
