//! The file `.env`: settings that the environment does not have.

use std::{collections::HashMap, fs, io, path::Path};

/// Where it is: in the folder that the program is started in, and in no other.
const FILE: &str = ".env";

/// Its settings by name; none when there is no such file. What cannot be read is said line by line.
pub fn read() -> Result<HashMap<String, String>, Vec<String>> {
    match fs::read_to_string(Path::new(FILE)) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
        Err(error) => Err(vec![format!("{FILE} cannot be read: {error}.")]),
    }
}

/// Lines of `NAME=value`. A value is taken as it is written, blanks and `$` included; in quotes, single or
/// double, it may also begin or end with a blank, or have ` #` in it, which otherwise begins a comment.
pub fn parse(text: &str) -> Result<HashMap<String, String>, Vec<String>> {
    let (mut settings, mut mistakes) = (HashMap::new(), Vec::new());
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match setting(line) {
            Ok((name, value)) => {
                settings.insert(name.to_owned(), value.to_owned());
            }
            // The line itself may hold a secret.
            Err(why) => mistakes.push(format!("{FILE}, line {}: {why}.", index + 1)),
        }
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

fn setting(line: &str) -> Result<(&str, &str), &'static str> {
    let (name, value) = line.split_once('=').ok_or("it must be NAME=value, or begin with #")?;
    let name = name.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err("what stands before = is no name of a setting");
    }
    let value = value.trim();
    if let Some(quote) = value.chars().next().filter(|first| ['"', '\''].contains(first)) {
        let (quoted, after) = value[1..].split_once(quote).ok_or("a quote is not closed")?;
        let after = after.trim_start();
        return if after.is_empty() || after.starts_with('#') {
            Ok((name, quoted))
        } else {
            Err("something stands behind the closing quote")
        };
    }
    if value.starts_with('#') {
        return Ok((name, ""));
    }
    Ok((name, value.split_once(" #").map_or(value, |(value, _)| value.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_they_are_written() {
        let text = [
            "\u{feff}# A comment\r",
            "",
            "A=correct$horse",
            "B = two words # and a comment",
            "C=\"  in quotes # no comment\"",
            "export D='$HOME'  # said",
        ];
        let settings = parse(&text.join("\n")).expect("settings");
        let of = |name: &str| settings.get(name).map(String::as_str);
        assert_eq!(of("A"), Some("correct$horse"));
        assert_eq!(of("B"), Some("two words"));
        assert_eq!(of("C"), Some("  in quotes # no comment"));
        assert_eq!(of("D"), Some("$HOME"));
        assert_eq!(parse("A=\nB=#x\nC=a#b\nD=a=b").expect("settings").len(), 4);
        assert_eq!(parse("C=a#b").expect("settings")["C"], "a#b");
    }

    #[test]
    fn what_cannot_be_read_is_said_line_by_line_without_what_it_says() {
        let mistakes =
            parse("A=1\nsecret\n=secret\nB C=secret\nD='secret\nE='x' secret\n").expect_err("mistakes");
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
        assert!(mistakes[0].starts_with(".env, line 2: "), "{mistakes:?}");
        assert!(!mistakes.concat().contains("secret"), "{mistakes:?}");
    }
}
