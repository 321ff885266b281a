//! JSON as JSON Schema means it: an object is an object, though serde would also read a struct from an array,
//! member by member in their order; `7.0` is an integer, though serde would call it a floating point number;
//! and no member is called what serde_json calls the text of a value, though it would take that text apart
//! again.

mod decode;

use std::{cell::Cell, fmt};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub use decode::{ShapeError, escape, from_value, no_field, one_of};

/// Levels of nesting that are read.
pub const MAX_DEPTH: usize = 64;

/// How the names begin that serde_json keeps for itself.
const RESERVED: &str = "$serde_json::private::";

/// Whether a member may not be called this: read as a [`Value`], its text would be parsed once more,
/// unbounded by what bounds the body.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

/// Reads JSON that somebody outside wrote as what it should be.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    from_value(&value(json)?).map_err(Error::custom)
}

/// Reads any JSON that somebody outside wrote and that nests no deeper than [`MAX_DEPTH`].
pub fn value(json: &[u8]) -> serde_json::Result<Value> {
    if Extent::of(json).depth > MAX_DEPTH {
        return Err(Error::custom(format!("nests deeper than {MAX_DEPTH} levels")));
    }
    read(json).map(|sent| sent.value)
}

/// A value as it was sent.
pub struct Sent {
    /// The value; of members of one name the last.
    pub value: Value,
    /// Whether a member is given twice, or a text has NUL in it.
    pub is_odd: bool,
}

/// Reads JSON and sees what a value does not show any more.
pub fn read(json: &[u8]) -> serde_json::Result<Sent> {
    let is_odd = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = Reading { is_odd: &is_odd }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(Sent { value, is_odd: is_odd.get() })
}

/// Makes values of what is read.
#[derive(Clone, Copy)]
struct Reading<'a> {
    is_odd: &'a Cell<bool>,
}

impl Reading<'_> {
    fn note(self, is_odd: bool) {
        self.is_odd.set(self.is_odd.get() || is_odd);
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        self.note(text.contains('\0'));
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if is_reserved(&name) {
                return Err(Error::custom("a reserved name"));
            }
            self.note(name.contains('\0'));
            let before = map.insert(name, members.next_value_seed(self)?);
            self.note(before.is_some());
        }
        Ok(Value::Object(map))
    }
}

/// How much a JSON text holds, before anything is made of it or recurses into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Levels of nesting.
    pub depth: usize,
    /// Arrays and objects.
    pub containers: usize,
    /// What stands between values.
    pub commas: usize,
}

impl Extent {
    /// That of a text, by its brackets and commas.
    #[must_use]
    pub fn of(json: &[u8]) -> Self {
        let (mut extent, mut depth, mut in_string, mut escaped) = (Self::default(), 0_usize, false, false);
        for byte in json {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => {
                    extent.containers += 1;
                    depth += 1;
                    extent.depth = extent.depth.max(depth);
                }
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                b',' if !in_string => extent.commas += 1,
                _ => {}
            }
        }
        extent
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Extent, MAX_DEPTH, from_slice, read, value};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        left: i64,
        #[serde(default)]
        right: Option<Box<Pair>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Point,
        Line(Pair),
        Row(Vec<Pair>),
        Named { pairs: BTreeMap<String, Pair> },
    }

    #[test]
    fn structs_are_objects_at_every_depth() {
        for fits in [
            r#""point""#,
            r#"{"line":{"left":1,"right":{"left":2}}}"#,
            r#"{"row":[{"left":1},{"left":2}]}"#,
            r#"{"named":{"pairs":{"a":{"left":1}}}}"#,
        ] {
            assert_eq!(
                from_slice::<Shape>(fits.as_bytes()).expect(fits),
                serde_json::from_str(fits).expect(fits)
            );
        }
        for array in [
            r#"{"line":[1,null]}"#,
            r#"{"line":{"left":1,"right":[2,null]}}"#,
            r#"{"row":[[1,null]]}"#,
            r#"{"named":{"pairs":{"a":[1,null]}}}"#,
        ] {
            assert!(serde_json::from_str::<Shape>(array).is_ok(), "serde reads {array}");
            let refused = from_slice::<Shape>(array.as_bytes()).expect_err(array).to_string();
            assert!(refused.starts_with("invalid type: sequence, expected struct Pair"), "{refused}");
        }
        assert!(from_slice::<i64>(b"1 2").is_err(), "what follows the value is refused");
    }

    #[test]
    fn a_reserved_name_is_refused_wherever_and_however_it_is_written() {
        assert_eq!(
            from_slice::<Value>(br#"{"a":{"$serde":[{"\u0062":1}]}}"#).expect("a value"),
            json!({"a": {"$serde": [{"b": 1}]}})
        );
        for name in [
            "$serde_json::private::RawValue",
            "\\u0024serde_json::private::RawValue",
            "$serde_json::private::\\u004eumber",
        ] {
            let object = format!(r#"{{"{name}":"{}"}}"#, "[".repeat(100));
            for around in [object.clone(), format!("[1,{object}]"), format!(r#"{{"a":{object}}}"#)] {
                assert!(from_slice::<Value>(around.as_bytes()).is_err(), "{around}");
                assert!(from_slice::<BTreeMap<String, Value>>(around.as_bytes()).is_err(), "{around}");
            }
        }
    }

    #[test]
    fn what_is_odd_is_seen() {
        for (json, is_odd) in [
            (r#"{"a":{"b":1,"c":[2,null]},"b":"0"}"#, false),
            (r#"[{"a":1,"b":1,"\u0061":1}]"#, true),
            (r#"["a\u0000"]"#, true),
            (r#"["a\\u0000"]"#, false),
            (r#"{"a":{"\u0000":1}}"#, true),
        ] {
            let sent = read(json.as_bytes()).expect(json);
            assert_eq!(sent.is_odd, is_odd, "{json}");
            assert_eq!(sent.value, serde_json::from_str::<Value>(json).expect(json));
        }
    }

    #[test]
    fn what_comes_from_outside_nests_so_deep_and_no_deeper() {
        let nested = |depth| format!("{}\"[[\"{}", "[".repeat(depth), "]".repeat(depth));
        assert!(value(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(value(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        let extent = Extent::of(br#"{"a,[":[1,{"b\",":[]}],"]":2}"#);
        assert_eq!(extent, Extent { depth: 4, containers: 4, commas: 2 });
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        for (written, meant) in [
            ("7", 7),
            ("7.0", 7),
            ("-7.0e1", -70),
            ("1E2", 100),
            ("-0.0", 0),
            ("9007199254740991.0", 9_007_199_254_740_991),
        ] {
            assert_eq!(from_slice::<i64>(written.as_bytes()).expect(written), meant);
            let pair = from_slice::<Pair>(format!(r#"{{"left":{written}}}"#).as_bytes()).expect(written);
            assert_eq!(pair.left, meant);
        }
        for refused in ["7.5", "9007199254740993.0", "1e300", "\"7\"", "true", "null", "[7]"] {
            let error = from_slice::<i64>(refused.as_bytes()).expect_err(refused).to_string();
            assert!(error.contains("expected i64"), "{error}");
        }
        assert!(
            from_slice::<u8>(b"256.0").expect_err("too large").to_string().contains("invalid value"),
            "within its range"
        );
        assert_eq!(from_slice::<f64>(b"7.0").expect("a number").to_string(), "7");
    }
}
