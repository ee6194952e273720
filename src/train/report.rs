//! The report of a training, line by line.

/// A line of the report: means over the steps since the last one.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Steps that are done.
    pub step: u32,
    /// The loss.
    pub loss: f64,
    /// The share of right answers on what is trained on.
    pub accuracy: f64,
    /// The share of right answers on the validation episodes, where this line has it.
    pub validation: Option<f64>,
    /// The rate of learning of the last step.
    pub rate: f64,
}

impl Row {
    /// The header of `train.csv`.
    pub const HEADER: &'static str = "step,loss,accuracy,validation_accuracy,rate\n";

    /// The line of `train.csv`.
    pub fn line(&self) -> String {
        let validation = self.validation.map(|v| v.to_string()).unwrap_or_default();
        format!("{},{},{},{validation},{}\n", self.step, self.loss, self.accuracy, self.rate)
    }

    /// Reads a line back, to the same numbers.
    pub(super) fn parse(line: &str) -> Option<Row> {
        let fields: Vec<&str> = line.split(',').collect();
        let [step, loss, accuracy, validation, rate] = fields.as_slice() else { return None };
        let number = |field: &str| field.parse().ok();
        Some(Row {
            step: step.parse().ok()?,
            loss: number(loss)?,
            accuracy: number(accuracy)?,
            validation: if validation.is_empty() { None } else { Some(number(validation)?) },
            rate: number(rate)?,
        })
    }
}
