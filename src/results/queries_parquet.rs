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

use super::rows::Columns;

/// What the cells of a column are.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Whole,
    /// A whole number that may be absent.
    Seed,
    Fraction,
}

impl Kind {
    fn of(column: &str) -> Kind {
        match column {
            "episode" | "item" => Kind::Whole,
            "seed_train" => Kind::Seed,
            "confidence" | "confidence_score" => Kind::Fraction,
            _ => Kind::Text,
        }
    }

    fn schema(column: &str) -> String {
        match Kind::of(column) {
            Kind::Text => format!("required binary {column} (UTF8);"),
            Kind::Whole => format!("required int64 {column};"),
            Kind::Seed => format!("optional int64 {column};"),
            Kind::Fraction => format!("optional float {column};"),
        }
    }
}

/// Rows of a row group: what is in memory at once.
const GROUP: usize = 1 << 18;

/// Writes the rows of a finished `queries.csv` as parquet.
pub(super) fn convert(csv: &Path, parquet: &Path) -> io::Result<()> {
    let columns: String = Columns::queries().split(',').map(Kind::schema).collect();
    let schema = format!("message queries {{ {columns} }}");
    let schema = Arc::new(parse_message_type(&schema).map_err(failed)?);
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
    for (place, column) in Columns::queries().split(',').enumerate() {
        let kind = Kind::of(column);
        let Some(mut column) = group.next_column().map_err(failed)? else { break };
        let cells = rows.iter().map(|row| row.get(place).unwrap_or_default());
        match kind {
            Kind::Fraction => {
                let (values, levels) = there(cells.map(|cell| cell.parse().ok()));
                column.typed::<FloatType>().write_batch(&values, Some(&levels), None)
            }
            Kind::Seed => {
                let (values, levels) =
                    there(cells.map(|cell| cell.parse::<u64>().ok().map(|seed| seed as i64)));
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)
            }
            Kind::Whole => {
                let values: Vec<i64> = cells.map(|cell| cell.parse().unwrap_or_default()).collect();
                column.typed::<Int64Type>().write_batch(&values, None, None)
            }
            Kind::Text => {
                let values: Vec<ByteArray> = cells.map(ByteArray::from).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)
            }
        }
        .map_err(failed)?;
        column.close().map_err(failed)?;
    }
    group.close().map_err(failed)?;
    Ok(())
}

/// The values that are there, and for each whether it is.
fn there<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let all: Vec<Option<T>> = values.collect();
    let levels = all.iter().map(|value| i16::from(value.is_some())).collect();
    (all.into_iter().flatten().collect(), levels)
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
            "{}\np,k-nn,k=1,1,f,d,,0,\"a, b\",7,c,,-2\np,matching,t=1,1,f,d,3,3,c,9,c,0.5,\n",
            Columns::queries()
        );
        std::fs::write(&csv, text).unwrap();
        convert(&csv, &out).unwrap();
        let reader = SerializedFileReader::new(File::open(&out).unwrap()).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0].contains("class: \"a, b\", item: 7")
                && rows[0].contains("confidence: null, confidence_score: -2"),
            "{rows:?}"
        );
        assert!(
            rows[1].contains("episode: 3") && rows[1].contains("confidence: 0.5, confidence_score: null"),
            "{rows:?}"
        );
    }
}
