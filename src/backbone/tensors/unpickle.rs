//! The pickles of `torch.save`, read as data.
//!
//! A pickle is a program. Of its instructions only those are followed that put texts, numbers, lists and dictionaries
//! together, and of the functions that it names only those that describe a tensor; none is called. Values lie in one list and
//! name each other by place, so that no nesting is too deep. Reference: CPython, `Lib/pickletools.py`; PyTorch,
//! `torch/serialization.py` and `torch/_utils.py`.

use std::collections::HashMap;
use std::io::Read;

use super::element::Element;

/// Bytes of one pickle; those of the largest networks have some hundred thousand.
const LARGEST: usize = 1 << 24;

/// The place of a value.
pub(super) type Id = usize;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// None, and what nobody asks for.
    Other,
    Number(i64),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A function or class by name.
    Named(String),
    Storage(Storage),
    Tensor(Tensor),
}

/// Numbers that lie elsewhere in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    pub key: String,
    pub element: Element,
    /// How many.
    pub count: usize,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub storage: Storage,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickled {
    values: Vec<Value>,
    root: Id,
}

impl Pickled {
    pub fn root(&self) -> &Value {
        &self.values[self.root]
    }

    pub fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    pub fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one pickle from where a file stands, and stops behind it.
pub(super) fn read(from: &mut impl Read) -> Result<Pickled, String> {
    let mut machine = Machine {
        from,
        left: LARGEST,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        match machine.byte()? {
            b'.' => break,
            operation => machine.step(operation)?,
        }
    }
    let root = machine.pop()?;
    Ok(Pickled { values: machine.values, root })
}

const EARLY: &str = "it ends early";

struct Machine<'a, R> {
    from: &'a mut R,
    /// Bytes that may still come.
    left: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl<R: Read> Machine<'_, R> {
    fn step(&mut self, operation: u8) -> Result<(), String> {
        match operation {
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'N' | 0x88 | 0x89 => self.push(Value::Other),
            b'K' => self.number(1, false),
            b'M' => self.number(2, false),
            b'J' => self.number(4, true),
            0x8a => {
                let size = self.size(1)?;
                self.number(size, true)
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Other)
            }
            0x8c | b'U' => self.text(1),
            b'X' | b'T' => self.text(4),
            0x8d => self.text(8),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b't' => {
                let items = self.until_mark()?;
                self.push(Value::Tuple(items))
            }
            b'l' => {
                let items = self.until_mark()?;
                self.push(Value::List(items))
            }
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(operation - 0x84)).ok_or(EARLY)?;
                let items = self.stack.split_off(start);
                self.push(Value::Tuple(items))
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(&[item])
            }
            b'e' => {
                let items = self.until_mark()?;
                self.extend_list(&items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(&[key, value])
            }
            b'u' => {
                let items = self.until_mark()?;
                self.extend_dict(&items)
            }
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Value::Named(name))
            }
            0x93 => {
                let (name, module) = (self.pop_text()?, self.pop_text()?);
                self.push(Value::Named(format!("{module}.{name}")))
            }
            b'Q' => self.persistent(),
            b'R' => self.reduce(),
            // The state of a dictionary, such as the versions of a network's modules.
            b'b' => {
                self.pop()?;
                match self.stack.last().map(|top| &self.values[*top]) {
                    Some(Value::Dict(_)) => Ok(()),
                    _ => Err("it holds objects, not only tensors".to_string()),
                }
            }
            0x94 => self.remember(self.memo.len()),
            b'q' | b'r' => {
                let place = self.size(if operation == b'q' { 1 } else { 4 })?;
                self.remember(place)
            }
            b'h' | b'j' => {
                let place = self.size(if operation == b'h' { 1 } else { 4 })?;
                let value = *self.memo.get(&place).ok_or("it recalls what it has not remembered")?;
                self.stack.push(value);
                Ok(())
            }
            other => {
                let top = self.stack.iter().rev().find_map(|id| match &self.values[*id] {
                    Value::Named(name) => Some(format!("it would call `{name}`")),
                    _ => None,
                });
                Err(top.unwrap_or_else(|| format!("it holds more than tensors (instruction {other:#04x})")))
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        self.left = self
            .left
            .checked_sub(count)
            .ok_or_else(|| format!("it describes its tensors in more than {LARGEST} bytes"))?;
        let mut bytes = vec![0; count];
        self.from.read_exact(&mut bytes).map_err(|_| EARLY)?;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        // What lies below a mark is not on top.
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            Err(EARLY.to_string())
        } else {
            Ok(self.stack.pop().unwrap_or_default())
        }
    }

    fn pop_text(&mut self) -> Result<String, String> {
        let id = self.pop()?;
        match &self.values[id] {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("a name is no text".to_string()),
        }
    }

    fn size(&mut self, bytes: usize) -> Result<usize, String> {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| EARLY.to_string())
    }

    fn number(&mut self, size: usize, signed: bool) -> Result<(), String> {
        let bytes = self.take(size)?;
        if bytes.len() > 8 {
            // Longer ones are no sizes: the magic number of older files is one.
            return self.push(Value::Other);
        }
        let negative = signed && bytes.last().is_some_and(|top| top & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(&bytes);
        self.push(Value::Number(i64::from_le_bytes(wide)))
    }

    fn text(&mut self, size: usize) -> Result<(), String> {
        let size = self.size(size)?;
        let text = String::from_utf8(self.take(size)?).map_err(|_| "a text is not UTF-8".to_string())?;
        self.push(Value::Text(text))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                byte => line.push(byte),
            }
        }
    }

    fn until_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or(EARLY)?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Value, String> {
        let top = *self.stack.last().ok_or(EARLY)?;
        Ok(&mut self.values[top])
    }

    fn extend_list(&mut self, items: &[Id]) -> Result<(), String> {
        match self.top()? {
            Value::List(list) => list.extend(items),
            _ => return Err("it adds to what is no list".to_string()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), String> {
        match self.top()? {
            Value::Dict(dict) => dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            _ => return Err("it adds to what is no dictionary".to_string()),
        }
        Ok(())
    }

    fn remember(&mut self, place: usize) -> Result<(), String> {
        let top = *self.stack.last().ok_or(EARLY)?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn items(&self, id: Id) -> Option<&[Id]> {
        match &self.values[id] {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        self.items(id)?.iter().map(|id| self.whole(*id)).collect()
    }

    fn whole(&self, id: Id) -> Option<usize> {
        match &self.values[id] {
            Value::Number(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// `("storage", type, key, device, count)`, of which the device says nothing here.
    fn persistent(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let storage = (|| {
            let items = self.items(id)?;
            let [_, kind, key, _, count] = items.get(..5)?.try_into().ok()?;
            let (Value::Named(kind), Value::Text(key)) = (&self.values[kind], &self.values[key]) else {
                return None;
            };
            Some(Storage { key: key.clone(), element: element(kind)?, count: self.whole(count)? })
        })();
        self.push(Value::Storage(storage.ok_or("it refers to something that is no storage of numbers")?))
    }

    /// A call, of which only what describes tensors is understood.
    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Named(name) = &self.values[function] else {
            return Err("it holds more than tensors".to_string());
        };
        let items = self.items(arguments).ok_or("it calls without arguments")?;
        let made = match name.as_str() {
            "collections.OrderedDict" => Some(self.ordered(items.first())),
            "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor" => {
                self.tensor(items).map(Value::Tensor)
            }
            "torch._utils._rebuild_parameter" => items.first().map(|id| self.values[*id].clone()),
            name => return Err(format!("it would call `{name}`")),
        };
        let made = made.ok_or_else(|| format!("the arguments of `{name}` are no tensor"))?;
        self.push(made)
    }

    /// An ordered dictionary, which Python 2 wrote with its pairs and Python 3 writes empty.
    fn ordered(&self, pairs: Option<&Id>) -> Value {
        let pairs = pairs.and_then(|pairs| self.items(*pairs)).unwrap_or_default();
        let pair = |id: &Id| self.items(*id).and_then(|pair| Some((*pair.first()?, *pair.get(1)?)));
        Value::Dict(pairs.iter().filter_map(pair).collect())
    }

    fn tensor(&self, items: &[Id]) -> Option<Tensor> {
        let Value::Storage(storage) = &self.values[*items.first()?] else { return None };
        let (shape, strides) = (self.sizes(*items.get(2)?)?, self.sizes(*items.get(3)?)?);
        let tensor = Tensor { storage: storage.clone(), offset: self.whole(*items.get(1)?)?, shape, strides };
        (tensor.shape.len() == tensor.strides.len()).then_some(tensor)
    }
}

/// What a storage of PyTorch holds.
fn element(name: &str) -> Option<Element> {
    Some(match name.strip_prefix("torch.")? {
        "DoubleStorage" => Element::F64,
        "FloatStorage" => Element::F32,
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::BF16,
        "LongStorage" => Element::Whole(8),
        "IntStorage" => Element::Whole(4),
        "ShortStorage" => Element::Whole(2),
        "CharStorage" | "ByteStorage" | "BoolStorage" => Element::Whole(1),
        _ => return None,
    })
}
