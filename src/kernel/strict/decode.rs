//! Values become what they should be: a structure is read from an object and nothing else, a whole number is
//! an integer however it was written, and what does not fit is known by its place.

use std::fmt::{self, Display};

use serde::{
    de::{
        self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Number, Value, map};

use crate::kernel::{json_schema::shortened, text::TOO_LONG};

/// Reads a value as what it should be.
pub fn from_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, ShapeError> {
    T::deserialize(Node(value))
}

/// What does not fit, and where.
#[derive(Debug)]
pub struct ShapeError(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    /// The names and indices that lead there, from the inside out.
    path: Vec<String>,
    code: &'static str,
    detail: String,
}

impl ShapeError {
    /// The JSON Pointer of the place.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.0.path.iter().rev() {
            pointer.push('/');
            pointer.push_str(&escape(step));
        }
        pointer
    }

    /// The rule that is broken.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.0.code
    }

    /// The same in words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    fn new(code: &'static str, detail: String) -> Self {
        Self(Box::new(Mistake { path: Vec::new(), code, detail }))
    }

    fn within(mut self, name: &str) -> Self {
        self.0.path.push(name.to_owned());
        self
    }

    fn at(self, index: usize) -> Self {
        self.within(&index.to_string())
    }
}

/// A name as it stands in a JSON Pointer.
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Words to choose from.
#[must_use]
pub fn one_of(words: &[&str]) -> String {
    match words {
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} or {other}"),
        many => format!("one of {}", many.join(", ")),
    }
}

/// That a member is none of these.
#[must_use]
pub fn no_field(names: &[&str]) -> String {
    match names {
        [] => "is not a field here".to_owned(),
        names => format!("is not a field here; expected {}", one_of(names)),
    }
}

impl Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for ShapeError {}

// What was sent is repeated in short.
impl de::Error for ShapeError {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        let code = if message.starts_with(TOO_LONG) { "length" } else { "invalid_value" };
        Self::new(code, shortened(&message))
    }

    fn invalid_type(sent: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("wrong_type", format!("invalid type: {}, expected {expected}", plain(sent)))
    }

    fn invalid_value(sent: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("invalid_value", format!("invalid value: {}, expected {expected}", plain(sent)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new("wrong_type", format!("invalid length {length}, expected {expected}"))
    }

    fn unknown_variant(word: &str, words: &'static [&'static str]) -> Self {
        Self::new("unknown_value", format!("unknown value {}, expected {}", shortened(word), one_of(words)))
    }

    // Its place is known where its name is read.
    fn unknown_field(_: &str, names: &'static [&'static str]) -> Self {
        Self::new("unknown_field", no_field(names))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new("required", "is required".to_owned()).within(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new("repeated", "is given twice".to_owned()).within(name)
    }
}

fn plain(sent: Unexpected<'_>) -> String {
    shortened(&sent.to_string()).replace('`', "")
}

/// A value that is read.
#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

/// A number as it is shown to who expects an integer.
enum Integer {
    Unsigned(u64),
    Signed(i64),
    None(f64),
}

impl Integer {
    fn of(number: &Number) -> Self {
        // Up to here every integer is a number of its own in JSON (RFC 8259, section 6).
        const EXACT: f64 = 9_007_199_254_740_991.0;
        if let Some(unsigned) = number.as_u64() {
            return Self::Unsigned(unsigned);
        }
        if let Some(signed) = number.as_i64() {
            return Self::Signed(signed);
        }
        match number.as_f64().unwrap_or(f64::NAN) {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range")]
            whole if whole.fract() == 0.0 && whole.abs() <= EXACT => Self::Signed(whole as i64),
            other => Self::None(other),
        }
    }
}

impl<'de> Node<'de> {
    fn unfit(self, expected: &dyn Expected) -> ShapeError {
        let sent = match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(unsigned), _) => Unexpected::Unsigned(unsigned),
                (_, Some(signed)) => Unexpected::Signed(signed),
                _ => Unexpected::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(sent, expected)
    }

    fn members(map: &'de Map<String, Value>) -> Members<'de> {
        Members { rest: map.iter(), present: None }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let Value::Number(number) = self.0 else { return Err(self.unfit(&visitor)) };
        match Integer::of(number) {
            Integer::Unsigned(number) => visitor.visit_u64(number),
            Integer::Signed(number) => visitor.visit_i64(number),
            Integer::None(number) => visitor.visit_f64(number),
        }
    }
}

macro_rules! read_as {
    ($read:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
            self.$read(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(unsigned), _) => visitor.visit_u64(unsigned),
                (_, Some(signed)) => visitor.visit_i64(signed),
                _ => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    read_as! { text: deserialize_str deserialize_string }
    read_as! { integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 }
    read_as! { integer: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 }
    forward_to_deserialize_any! { f32 f64 char bytes byte_buf unit unit_struct identifier }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let Value::Array(list) = self.0 else { return Err(self.unfit(&visitor)) };
        let mut elements = Elements { rest: list.iter(), index: 0 };
        let read = visitor.visit_seq(&mut elements)?;
        elements.end().map(|()| read)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(Self::members(map)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(BorrowedStrDeserializer::new(word)),
            Value::Object(map) if map.len() == 1 => visitor.visit_enum(Self::members(map)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_unit()
    }
}

/// Elements of a list.
struct Elements<'de> {
    rest: std::slice::Iter<'de, Value>,
    index: usize,
}

impl Elements<'_> {
    fn end(&self) -> Result<(), ShapeError> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(de::Error::invalid_length(self.index + more, &"fewer elements")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = ShapeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ShapeError> {
        let Some(element) = self.rest.next() else { return Ok(None) };
        self.index += 1;
        match seed.deserialize(Node(element)) {
            Ok(read) => Ok(Some(read)),
            Err(error) => Err(error.at(self.index - 1)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// Members of an object; of one that has only one, the variant that its name chooses.
struct Members<'de> {
    rest: map::Iter<'de>,
    present: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    /// The name of the next one.
    fn step(&mut self) -> Option<&'de str> {
        self.present = self.rest.next().map(|(name, value)| (name.as_str(), value));
        self.present.map(|(name, _)| name)
    }

    fn value(&self) -> (&'de str, Node<'de>) {
        self.present.map_or(("", Node(&Value::Null)), |(name, value)| (name, Node(value)))
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = ShapeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ShapeError> {
        let Some(name) = self.step() else { return Ok(None) };
        match seed.deserialize(BorrowedStrDeserializer::<ShapeError>::new(name)) {
            Ok(read) => Ok(Some(read)),
            Err(error) => Err(error.within(name)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ShapeError> {
        let (name, value) = self.value();
        seed.deserialize(value).map_err(|error| error.within(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

impl<'de> EnumAccess<'de> for Members<'de> {
    type Error = ShapeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self), ShapeError> {
        let name = self.step().unwrap_or_default();
        let variant = seed.deserialize(BorrowedStrDeserializer::<ShapeError>::new(name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Members<'de> {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        let (name, value) = self.value();
        <()>::deserialize(value).map_err(|error| error.within(name))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ShapeError> {
        let (name, value) = self.value();
        seed.deserialize(value).map_err(|error| error.within(name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ShapeError> {
        let (name, value) = self.value();
        value.deserialize_seq(visitor).map_err(|error| error.within(name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let (name, value) = self.value();
        value.deserialize_map(visitor).map_err(|error| error.within(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Parcel {
        weight: u8,
        #[serde(default)]
        lines: Vec<(String, i64)>,
        #[serde(default)]
        owners: BTreeMap<Uuid, Way>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only read from JSON")]
    enum Way {
        Road,
        Sea { ship: String },
    }

    #[test]
    fn a_mistake_has_its_place_and_rule() {
        let id = Uuid::nil().to_string();
        for (value, at, code) in [
            (json!({}), "/weight", "required"),
            (json!({ "weight": 1, "a/b~": 1 }), "/a~1b~0", "unknown_field"),
            (json!({ "weight": 256 }), "/weight", "invalid_value"),
            (json!({ "weight": "1" }), "/weight", "wrong_type"),
            (json!({ "weight": 1, "lines": [["a", 1], ["b", "2"]] }), "/lines/1/1", "wrong_type"),
            (json!({ "weight": 1, "lines": [["a", 1, 2]] }), "/lines/0", "wrong_type"),
            (json!({ "weight": 1, "owners": { "nobody": "road" } }), "/owners/nobody", "invalid_value"),
            (json!({ "weight": 1, "owners": { &id: "air" } }), &format!("/owners/{id}"), "unknown_value"),
            (
                json!({ "weight": 1, "owners": { &id: { "sea": {} } } }),
                &format!("/owners/{id}/sea/ship"),
                "required",
            ),
            (json!([1]), "", "wrong_type"),
        ] {
            let error = from_value::<Parcel>(&value).expect_err("a mistake");
            assert_eq!((error.pointer().as_str(), error.code()), (at, code), "{value}: {error}");
        }
        assert!(from_value::<Parcel>(&json!({ "weight": 7.0, "owners": { id: { "road": null } } })).is_ok());
    }

    #[test]
    fn what_was_sent_is_not_repeated_at_length() {
        let long = Value::from("x".repeat(10_000));
        for error in [
            from_value::<Uuid>(&long).err(),
            from_value::<i64>(&long).err(),
            from_value::<Way>(&long).map(drop).err(),
        ] {
            assert!(error.expect("a mistake").detail().chars().count() < 500);
        }
    }
}
