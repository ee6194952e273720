//! Texts out of a pickled array of objects, as numpy.save writes lists of Python strings.
//!
//! A pickle is a program. Only those of its instructions are followed that put texts and numbers into a list; nothing
//! that it names is ever called. Reference: CPython, `Lib/pickletools.py`, protocols 2 to 5.

use std::rc::Rc;

/// What a list holds at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Text(Rc<str>),
    Number(i64),
    Bool(bool),
}

/// The objects of a pickled one-dimensional array, or why it is something else.
pub(super) fn objects(bytes: &[u8]) -> Result<Vec<Object>, String> {
    let mut machine = Machine { bytes, stack: Vec::new(), memo: Vec::new() };
    let list = machine.run()?;
    let object = |(place, value)| match value {
        Value::Text(text) => Ok(Object::Text(text)),
        Value::Number(number) => Ok(Object::Number(number)),
        Value::Bool(bool) => Ok(Object::Bool(bool)),
        Value::None => Err(format!("object {place} is missing (None)")),
        Value::Float(value) if value.is_nan() => Err(format!("object {place} is missing (NaN)")),
        _ => Err(format!("object {place} is no text")),
    };
    list.into_iter().enumerate().map(object).collect()
}

/// A value on the stack.
#[derive(Clone)]
enum Value {
    None,
    Bool(bool),
    Number(i64),
    Float(f64),
    Text(Rc<str>),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    /// A function or class by name.
    Named(Rc<str>),
    /// An array before and after its state is known.
    Array(Option<Vec<Value>>),
    /// Bytes, types and what else is part of an array's description.
    Other,
    Mark,
}

/// Functions that only describe an array; what they would give is not needed.
const DESCRIBING: [&str; 2] = ["numpy dtype", "_codecs encode"];

/// A tuple, whose own tuples nobody asks for: nothing is nested deeply.
fn tuple(items: Vec<Value>) -> Value {
    let inner = |value| if matches!(value, Value::Tuple(_)) { Value::Other } else { value };
    Value::Tuple(items.into_iter().map(inner).collect())
}

/// An element of a list, which is no list itself.
fn flat(value: Value) -> Value {
    if matches!(value, Value::Tuple(_) | Value::List(_) | Value::Array(_)) { Value::Other } else { value }
}

struct Machine<'a> {
    bytes: &'a [u8],
    stack: Vec<Value>,
    memo: Vec<Option<Value>>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Vec<Value>, String> {
        loop {
            let operation = self.take(1)?[0];
            if operation == b'.' {
                return match self.pop()? {
                    Value::Array(Some(list)) => Ok(list),
                    _ => Err("it is no array of objects".to_string()),
                };
            }
            self.step(operation)?;
        }
    }

    fn step(&mut self, operation: u8) -> Result<(), String> {
        match operation {
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'K' => self.number(1, false)?,
            b'M' => self.number(2, false)?,
            b'J' => self.number(4, true)?,
            0x8a => {
                let size = self.size(1)?;
                self.number(size, true)?;
            }
            b'G' => {
                let bytes = self.take(8)?.try_into().unwrap_or_default();
                self.stack.push(Value::Float(f64::from_be_bytes(bytes)));
            }
            0x8c | b'U' => self.text(1)?,
            b'X' | b'T' => self.text(4)?,
            0x8d => self.text(8)?,
            b'C' => self.skip(1)?,
            b'B' => self.skip(4)?,
            0x8e => self.skip(8)?,
            b'(' => self.stack.push(Value::Mark),
            b')' => self.stack.push(Value::Tuple(Vec::new())),
            b']' => self.stack.push(Value::List(Vec::new())),
            b'}' => self.stack.push(Value::Other),
            b't' => {
                let items = self.until_mark()?;
                self.stack.push(tuple(items));
            }
            0x85..=0x87 => {
                let start =
                    self.stack.len().checked_sub(usize::from(operation - 0x84)).ok_or("it ends early")?;
                let items = self.stack.split_off(start);
                self.stack.push(tuple(items));
            }
            b'a' => {
                let item = flat(self.pop()?);
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.until_mark()?;
                self.list()?.extend(items.into_iter().map(flat));
            }
            b'c' => {
                let name = format!("{} {}", self.line()?, self.line()?);
                self.stack.push(Value::Named(name.into()));
            }
            0x93 => {
                let (Value::Text(name), Value::Text(module)) = (self.pop()?, self.pop()?) else {
                    return Err("a name is no text".to_string());
                };
                self.stack.push(Value::Named(format!("{module} {name}").into()));
            }
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            0x94 => self.remember(self.memo.len())?,
            b'q' => {
                let place = self.size(1)?;
                self.remember(place)?;
            }
            b'r' => {
                let place = self.size(4)?;
                self.remember(place)?;
            }
            b'h' => {
                let place = self.size(1)?;
                self.recall(place)?;
            }
            b'j' => {
                let place = self.size(4)?;
                self.recall(place)?;
            }
            other => return Err(format!("it holds more than texts (instruction {other:#04x})")),
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        if count > self.bytes.len() {
            return Err("it ends early".to_string());
        }
        let (head, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Ok(head)
    }

    /// A little-endian count of so many bytes.
    fn size(&mut self, bytes: usize) -> Result<usize, String> {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| "it ends early".to_string())
    }

    fn number(&mut self, size: usize, signed: bool) -> Result<(), String> {
        let bytes = self.take(size)?;
        let mut wide = [if signed && bytes.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 }; 8];
        if bytes.len() > wide.len() {
            return Err("it holds a number beyond 64 bits".to_string());
        }
        wide[..bytes.len()].copy_from_slice(bytes);
        self.stack.push(Value::Number(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn text(&mut self, size: usize) -> Result<(), String> {
        let size = self.size(size)?;
        let text = std::str::from_utf8(self.take(size)?).map_err(|_| "a text is not UTF-8".to_string())?;
        let text = Value::Text(text.into());
        self.stack.push(text);
        Ok(())
    }

    fn skip(&mut self, size: usize) -> Result<(), String> {
        let size = self.size(size)?;
        self.take(size)?;
        self.stack.push(Value::Other);
        Ok(())
    }

    fn line(&mut self) -> Result<String, String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n').ok_or("it ends early")?;
        let line = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes = &self.bytes[end + 1..];
        Ok(line)
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| "it ends early".to_string())
    }

    fn until_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark =
            self.stack.iter().rposition(|value| matches!(value, Value::Mark)).ok_or("it ends early")?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn list(&mut self) -> Result<&mut Vec<Value>, String> {
        match self.stack.last_mut() {
            Some(Value::List(items)) => Ok(items),
            _ => Err("it holds more than a list".to_string()),
        }
    }

    /// A call, of which only what describes an array is understood.
    fn reduce(&mut self) -> Result<(), String> {
        let (_, function) = (self.pop()?, self.pop()?);
        let Value::Named(name) = function else { return Err("it holds more than texts".to_string()) };
        // The module is `numpy.core.multiarray`, and since numpy 2 `numpy._core.multiarray`.
        let made = match name.as_ref() {
            name if name.starts_with("numpy") && name.ends_with(".multiarray _reconstruct") => {
                Value::Array(None)
            }
            name if DESCRIBING.contains(&name) => Value::Other,
            name => return Err(format!("it would call `{}`", name.replace(' ', "."))),
        };
        self.stack.push(made);
        Ok(())
    }

    /// The state of an array: version, shape, type, order and the list of its objects.
    fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        match (self.stack.last_mut(), state) {
            (Some(Value::Array(array)), Value::Tuple(state)) => {
                let list = state.into_iter().find_map(|part| match part {
                    Value::List(items) => Some(items),
                    _ => None,
                });
                *array = Some(list.ok_or("it is no array of objects")?);
                Ok(())
            }
            (Some(Value::Other), _) => Ok(()),
            _ => Err("it holds more than texts".to_string()),
        }
    }

    fn remember(&mut self, place: usize) -> Result<(), String> {
        // Texts, numbers and names come again in a list of texts; nothing else does.
        let again = |value: &&Value| !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Array(_));
        let value = self.stack.last().filter(again).cloned();
        if place > self.bytes.len() + self.memo.len() {
            return Err("it remembers more than it holds".to_string());
        }
        if place >= self.memo.len() {
            self.memo.resize(place + 1, None);
        }
        self.memo[place] = value;
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), String> {
        let value = self.memo.get(place).cloned().flatten();
        self.stack.push(value.ok_or("it holds more than texts")?);
        Ok(())
    }
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use super::*;

    /// The bytes behind the header of numpy.save(numpy.array(words, dtype=object)), in protocol 4 and numpy 2; a word
    /// that comes again is recalled.
    pub(in crate::data) fn pickled(words: &[&str]) -> Vec<u8> {
        let short = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes()].concat();
        let mut bytes = b"\x80\x04".to_vec();
        bytes.extend(short("numpy._core.multiarray"));
        bytes.extend(b"\x94");
        bytes.extend(short("_reconstruct"));
        bytes.extend(b"\x94\x93\x94");
        bytes.extend(short("numpy"));
        bytes.extend(b"\x94");
        bytes.extend(short("ndarray"));
        bytes.extend(b"\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K");
        bytes.extend([words.len() as u8]);
        bytes.extend(b"\x85\x94h\x03");
        bytes.extend(short("dtype"));
        bytes.extend(b"\x94\x93\x94");
        bytes.extend(short("O8"));
        bytes.extend(b"\x94\x89\x88\x87\x94R\x94(K\x03");
        bytes.extend(short("|"));
        bytes.extend(b"\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94(");
        let (mut known, mut place) = (Vec::new(), 19);
        for word in words {
            match known.iter().find(|(known, _)| known == word) {
                Some((_, place)) => bytes.extend([b'h', *place]),
                None => {
                    bytes.extend(short(word));
                    bytes.extend(b"\x94");
                    known.push((*word, place));
                    place += 1;
                }
            }
        }
        bytes.extend(b"et\x94b.");
        bytes
    }

    fn texts(words: &[&str]) -> Vec<Object> {
        words.iter().map(|word| Object::Text((*word).into())).collect()
    }

    #[test]
    fn an_array_of_texts_is_read_with_those_that_come_again() {
        let words = ["cat", "dog", "cat", "é"];
        assert_eq!(objects(&pickled(&words)).unwrap(), texts(&words));
    }

    #[test]
    fn protocol_two_of_older_numpy_is_read() {
        // numpy.array(["a", 3, True], dtype=object) by pickle protocol 2.
        let bytes = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\t(K\x01K\x03\x85q\ncnumpy\ndtype\nq\x0bX\x02\x00\x00\x00O8q\x0c\x89\x88\x87q\rRq\x0e(K\x03X\x01\x00\x00\x00|q\x0fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\x10b\x89]q\x11(X\x01\x00\x00\x00aq\x12K\x03\x88etq\x13b.";
        let expected = [Object::Text("a".into()), Object::Number(3), Object::Bool(true)];
        assert_eq!(objects(bytes).unwrap(), expected);
    }

    #[test]
    fn a_pickle_that_would_do_more_than_hold_texts_is_refused() {
        let run = b"cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";
        assert_eq!(objects(run).unwrap_err(), "it would call `os.system`");
        let whole = pickled(&["a", "b"]);
        for cut in [0, 1, 20, whole.len() - 1] {
            assert_eq!(objects(&whole[..cut]).unwrap_err(), "it ends early", "{cut}");
        }
        assert!(objects(b"\x80\x04i").unwrap_err().starts_with("it holds more than texts"));
        assert_eq!(objects(b"].").unwrap_err(), "it is no array of objects");
        assert!(objects(b"Nr\xff\xff\xff\x7f.").is_err());
        // Deeply nested, it neither overflows the stack nor is understood.
        let nested = [b"N".as_slice(), &[0x85; 1 << 20], b"."].concat();
        assert_eq!(objects(&nested).unwrap_err(), "it is no array of objects");
        let mut missing = whole.clone();
        let at = missing.windows(4).position(|w| w == b"\x8c\x01b\x94").unwrap();
        missing.splice(at..at + 4, *b"N");
        assert_eq!(objects(&missing).unwrap_err(), "object 1 is missing (None)");
    }
}
