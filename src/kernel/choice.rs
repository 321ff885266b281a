//! Closed sets of words: an `enum` in the document, text in the database, the same word everywhere.

/// Declares a closed set of words with everything that JSON, queries, the database and the document need.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] #[sea_orm(string_value = $text)] $variant,)*
        }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($crate::kernel::choice::described(
                        concat!($(stringify!($meta), "\n"),*),
                        &[$(($text, concat!($(stringify!($doc), "\n"),*)),)*],
                    )))
                    .enum_values(Some([$($text),*]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $crate::kernel::filter::Alternative for $name {
            fn pattern() -> Option<String> {
                Some([$($text),*].join("|"))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(concat!("expected one of" $(, " ", $text)*).to_owned()),
                }
            }
        }
    };
}

/// The description of a set: its own words, then each word with its meaning. Takes doc attributes as source
/// text.
#[must_use]
pub fn described(about: &str, words: &[(&str, &str)]) -> String {
    let lines = words.iter().map(|(word, about)| format!("\n- `{word}`: {}", docs(about)));
    format!("{}\n{}", docs(about), lines.collect::<String>())
}

/// The text of `doc = "…"` lines.
fn docs(attributes: &str) -> String {
    let line = |line: &str| {
        Some(
            line.strip_prefix("doc")?
                .trim_start()
                .strip_prefix('=')?
                .trim()
                .trim_start_matches('r')
                .trim_matches('"')
                .trim()
                .to_owned(),
        )
    };
    // A long line is broken after its equals sign.
    attributes
        .replace("=\n", "=")
        .lines()
        .filter_map(line)
        .collect::<Vec<_>>()
        .join(" ")
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}
