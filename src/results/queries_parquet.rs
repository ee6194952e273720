//! `queries.parquet`: the rows of `queries.csv` by columns, for tools that read large tables; needs the feature `parquet`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const SCHEMA: &str = "message queries {
    required binary protocol (UTF8);
    required binary learner (UTF8);
    required binary parameters (UTF8);
    required binary shot (UTF8);
    required int64 episode;
    required binary class (UTF8);
    required int64 item;
    required binary predicted (UTF8);
    optional float confidence;
    optional float certainty;
}";

/// Places of the columns that are whole numbers, and from which place on they are fractions.
const WHOLE: [usize; 2] = [4, 6];
const FRACTIONS: usize = 8;

/// Rows of a row group: what is in memory at once.
const GROUP: usize = 1 << 18;

/// Writes the rows of a finished `queries.csv` as parquet.
pub(super) fn convert(csv: &Path, parquet: &Path) -> io::Result<()> {
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer =
        SerializedFileWriter::new(File::create(parquet)?, schema, Arc::new(properties)).map_err(failed)?;
    let mut rows = csv::Reader::from_path(csv)?.into_records();
    loop {
        let group: Vec<csv::StringRecord> = rows.by_ref().take(GROUP).collect::<Result<_, _>>()?;
        if group.is_empty() {
            writer.close().map_err(failed)?;
            return Ok(());
        }
        write_group(&mut writer, &group)?;
    }
}

fn write_group(writer: &mut SerializedFileWriter<File>, rows: &[csv::StringRecord]) -> io::Result<()> {
    let mut group = writer.next_row_group().map_err(failed)?;
    let mut place = 0;
    while let Some(mut column) = group.next_column().map_err(failed)? {
        let cells = rows.iter().map(|row| row.get(place).unwrap_or_default());
        if place >= FRACTIONS {
            let found: Vec<Option<f32>> = cells.map(|cell| cell.parse().ok()).collect();
            let levels: Vec<i16> = found.iter().map(|value| i16::from(value.is_some())).collect();
            let values: Vec<f32> = found.into_iter().flatten().collect();
            column.typed::<FloatType>().write_batch(&values, Some(&levels), None).map_err(failed)?;
        } else if WHOLE.contains(&place) {
            let values: Vec<i64> = cells.map(|cell| cell.parse().unwrap_or_default()).collect();
            column.typed::<Int64Type>().write_batch(&values, None, None).map_err(failed)?;
        } else {
            let values: Vec<ByteArray> = cells.map(ByteArray::from).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).map_err(failed)?;
        }
        column.close().map_err(failed)?;
        place += 1;
    }
    group.close().map_err(failed)?;
    Ok(())
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn the_rows_of_the_csv_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (csv, out) = (folder.path().join("queries.csv"), folder.path().join("queries.parquet"));
        let text = format!(
            "{}\np,k-nn,k=1,1,0,\"a, b\",7,c,,-2\np,matching,t=1,1,3,c,9,c,0.5,\n",
            crate::results::rows::QUERY_COLUMNS
        );
        std::fs::write(&csv, text).unwrap();
        convert(&csv, &out).unwrap();
        let reader = SerializedFileReader::new(File::open(&out).unwrap()).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0].contains("class: \"a, b\", item: 7")
                && rows[0].contains("confidence: null, certainty: -2"),
            "{rows:?}"
        );
        assert!(
            rows[1].contains("episode: 3") && rows[1].contains("confidence: 0.5, certainty: null"),
            "{rows:?}"
        );
    }
}
