//! JSON as JSON Schema means it: an object is an object, though serde would also read a struct from an array,
//! member by member in their order; `7.0` is an integer, though serde would call it a floating point number;
//! and no member is called what serde_json calls the text of a value, though it would take that text apart
//! again.

use std::{borrow::Cow, fmt};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
    Visitor,
    value::{BorrowedStrDeserializer, StringDeserializer},
};
use serde_json::Value;

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

/// A deserializer, or a part of one, below which structs are read from objects only.
pub struct Strict<T>(pub T);

/// Reads a value whose structs are objects.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(Strict(&mut reader))?;
    reader.end().map(|()| value)
}

/// Reads any JSON that somebody outside wrote and that nests no deeper than [`MAX_DEPTH`].
pub fn value(json: &[u8]) -> serde_json::Result<Value> {
    if Extent::of(json).depth > MAX_DEPTH {
        return Err(Error::custom(format!("nests deeper than {MAX_DEPTH} levels")));
    }
    from_slice(json)
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

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value,
            Self::Error> {
            self.0.$method($($argument,)* Strict(visitor))
        })*
    };
}

macro_rules! whole {
    ($($method:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$method(Whole(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Strict(visitor))
    }

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    whole! {
        deserialize_i8;
        deserialize_i16;
        deserialize_i32;
        deserialize_i64;
        deserialize_i128;
        deserialize_u8;
        deserialize_u16;
        deserialize_u32;
        deserialize_u64;
        deserialize_u128;
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty);)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<Self::Value, E> {
            self.0.$method(value)
        })*
    };
}

macro_rules! visit_integers {
    () => {
        visit! {
            visit_i8(i8);
            visit_i16(i16);
            visit_i32(i32);
            visit_i64(i64);
            visit_i128(i128);
            visit_u8(u8);
            visit_u16(u16);
            visit_u32(u32);
            visit_u64(u64);
            visit_u128(u128);
        }
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit_integers!();

    visit! {
        visit_bool(bool);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Strict(variant))
    }
}

/// The name of a member.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Where an integer is asked for.
struct Whole<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Whole<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit_integers!();

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        // Up to here every integer is a number of its own in JSON (RFC 8259, section 6).
        const EXACT: f64 = 9_007_199_254_740_991.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range")]
            return self.0.visit_i64(value as i64);
        }
        self.0.visit_f64(value)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(Name(name)) = self.0.next_key()? else { return Ok(None) };
        if is_reserved(&name) {
            return Err(A::Error::custom("a reserved name"));
        }
        match name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => seed.deserialize(StringDeserializer::new(name)),
        }
        .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        self.0.variant_seed(seed).map(|(value, variant)| (value, Strict(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Strict(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Strict(visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Extent, MAX_DEPTH, from_slice, value};

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
