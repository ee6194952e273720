//! Tables of the format Parquet.

use std::fs::File;
use std::path::Path;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

use super::error::ScoresError;
use super::written::Written;
use crate::guard::guarded;

/// Reads a table; columns that are no texts, numbers or truth values are left out.
pub(super) fn read(path: &Path) -> Result<Written, ScoresError> {
    let file = File::open(path).map_err(|source| ScoresError::Read { path: path.to_path_buf(), source })?;
    let damaged = |why: String| ScoresError::Damaged { place: path.display().to_string(), why };
    guarded(|| table(file)).and_then(|read| read).map_err(damaged).map(|(columns, rows)| Written {
        file: path.display().to_string(),
        columns,
        lines: (1..=rows.len() as u64).collect(),
        rows,
        notes: Vec::new(),
    })
}

type Cells = (Vec<String>, Vec<Vec<String>>);

fn table(file: File) -> Result<Cells, String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let fields = builder.schema().fields().clone();
    let kept: Vec<usize> = (0..fields.len()).filter(|i| !fields[*i].data_type().is_nested()).collect();
    let columns = kept.iter().map(|i| fields[*i].name().clone()).collect();
    let mut rows = Vec::new();
    for batch in builder.build().map_err(|error| error.to_string())? {
        let batch = batch.map_err(|error| error.to_string())?;
        let start = rows.len();
        rows.resize(start + batch.num_rows(), vec![String::new(); kept.len()]);
        for (place, column) in kept.iter().enumerate() {
            let texts = arrow_cast::cast(batch.column(*column), &DataType::Utf8)
                .map_err(|error| error.to_string())?;
            for (row, cell) in texts.as_string::<i32>().iter().enumerate() {
                rows[start + row][place] = cell.unwrap_or_default().to_string();
            }
        }
    }
    Ok((columns, rows))
}
