//! Settings, from the environment and `.env`; every mistake is reported at once.

use std::{net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration};

use argon2::Params;
use chrono_tz::Tz;
use ipnet::IpNet;
use tracing_subscriber::filter::{EnvFilter, Targets};
use url::Url;

use super::env_file;
use crate::kernel::secrets::Key;

/// One setting as people meet it.
pub struct Setting {
    /// Its variable.
    pub name: &'static str,
    /// What it is when it is not set.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// Every setting there is; `.env.example` lists the same, and a test says so.
pub const SETTINGS: &[Setting] = &[
    Setting { name: "CASELOAD_LISTEN", default: "127.0.0.1:8080", about: "Address and port." },
    Setting {
        name: "DATABASE_URL",
        default: "sqlite://caseload.db",
        about: "The database: sqlite://file or postgres://…",
    },
    Setting { name: "DATABASE_READ_URL", default: "", about: "A PostgreSQL read replica for what may lag." },
    Setting { name: "CASELOAD_MIGRATE", default: "true", about: "Whether to migrate the database at start." },
    Setting { name: "CASELOAD_DATABASE_CONNECTIONS", default: "8", about: "Connections to the database." },
    Setting {
        name: "CASELOAD_ADMIN_EMAIL",
        default: "admin@localhost",
        about: "The first administrator, made only when there is no user.",
    },
    Setting {
        name: "CASELOAD_ADMIN_PASSWORD",
        default: "",
        about: "Their password; generated and printed once when empty.",
    },
    Setting { name: "CASELOAD_TIME_ZONE", default: "UTC", about: "The company's IANA time zone." },
    Setting {
        name: "CASELOAD_DEFAULT_GROUP",
        default: "Customer Service",
        about: "Who gets work that nothing else assigns; made at first start.",
    },
    Setting {
        name: "CASELOAD_WORKERS",
        default: "0",
        about: "Threads that answer requests; 0 for one a core.",
    },
    Setting { name: "CASELOAD_BODY_LIMIT", default: "5242880", about: "Bytes of a request body." },
    Setting { name: "CASELOAD_REQUEST_TIMEOUT", default: "60", about: "Seconds that a request may take." },
    Setting {
        name: "CASELOAD_RATE_LIMIT",
        default: "60000",
        about: "Requests a minute for each credential; 0 for no limit.",
    },
    Setting {
        name: "CASELOAD_INTAKE_RATE_LIMIT",
        default: "600",
        about: "Posts a minute with each publishable key; 0 for no limit.",
    },
    Setting {
        name: "CASELOAD_INTAKE_ADDRESS_RATE_LIMIT",
        default: "30",
        about: "Posts a minute with publishable keys from each address; 0 for no limit.",
    },
    Setting {
        name: "CASELOAD_TRUSTED_PROXIES",
        default: "auto",
        about: "How many reverse proxies in front, whose X-Forwarded-For is believed; auto is one, if it \
             calls from a private address.",
    },
    Setting {
        name: "CASELOAD_CORS_ORIGINS",
        default: "",
        about: "Origins whose pages may call, joined by commas; * for all.",
    },
    Setting {
        name: "CASELOAD_SECRET_KEY",
        default: "",
        about: "The key that credentials and private keys are encrypted with: 32 bytes in base64. SQLite \
             keeps one beside its file when empty.",
    },
    Setting {
        name: "CASELOAD_SECRET_KEY_OLD",
        default: "",
        about: "The key before it; what it encrypted is encrypted anew at start.",
    },
    Setting {
        name: "CASELOAD_OUTGOING_ALLOW",
        default: "",
        about: "Networks of one's own that may be called besides public ones, joined by commas, such as \
             10.0.0.0/8.",
    },
    Setting {
        name: "CASELOAD_OIDC_ISSUER",
        default: "",
        about: "An outside OpenID provider whose tokens are accepted.",
    },
    Setting { name: "CASELOAD_OIDC_AUDIENCE", default: "", about: "The audience that its tokens must name." },
    Setting {
        name: "CASELOAD_OIDC_EMAILS_VERIFIED",
        default: "false",
        about: "Whether all its addresses are verified, so that its tokens need not say so.",
    },
    Setting { name: "CASELOAD_METRICS_LISTEN", default: "", about: "An address of its own for /metrics." },
    Setting {
        name: "CASELOAD_METRICS_TOKEN",
        default: "",
        about: "A bearer token with which the main address serves /metrics.",
    },
    Setting { name: "CASELOAD_LOG", default: "info", about: "What is logged, as tracing's filters say it." },
    Setting { name: "CASELOAD_LOG_FORMAT", default: "pretty", about: "pretty or json." },
];

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port.
    pub listen: SocketAddr,
    /// The database.
    pub database_url: String,
    /// A read replica.
    pub database_read_url: Option<String>,
    /// Whether to migrate at start.
    pub migrate: bool,
    /// Connections to the database.
    pub connections: u32,
    /// The first administrator.
    pub admin_email: String,
    /// Their password, unless generated.
    pub admin_password: Option<String>,
    /// What the hash of a password costs. It is no setting: none can make passwords cheaper to guess.
    pub password_cost: Params,
    /// The company's zone.
    pub time_zone: Tz,
    /// Who gets work that nothing else assigns.
    pub default_group: String,
    /// Threads that answer requests.
    pub workers: usize,
    /// Bytes of a body.
    pub body_limit: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Requests a minute for each credential.
    pub rate_limit: u32,
    /// Posts a minute with each publishable key.
    pub intake_rate_limit: u32,
    /// Posts a minute with publishable keys from each address.
    pub intake_address_rate_limit: u32,
    /// Reverse proxies in front; none is one, if it calls from a private address.
    pub trusted_proxies: Option<usize>,
    /// Origins whose pages may call.
    pub cors_origins: Vec<String>,
    /// The key of credentials.
    pub secret_key: Option<Key>,
    /// The key before it.
    pub secret_key_old: Option<Key>,
    /// Networks of one's own that may be called.
    pub outgoing_allow: Vec<IpNet>,
    /// The outside provider and the audience its tokens must name.
    pub oidc: Option<(String, String)>,
    /// Whether all its addresses are verified.
    pub oidc_emails_verified: bool,
    /// Where metrics are served on their own.
    pub metrics_listen: Option<SocketAddr>,
    /// With which token the main address serves them.
    pub metrics_token: Option<String>,
    /// What is logged.
    pub log: String,
    /// Whether logs are JSON.
    pub log_json: bool,
    /// Names that look like settings and are none, each in a sentence.
    pub unknown: Vec<String>,
}

/// Reads values one by one and remembers what is wrong.
struct Reading<'a> {
    look_up: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

impl Reading<'_> {
    fn text(&self, name: &'static str) -> String {
        let default =
            SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
        (self.look_up)(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
    }

    fn optional(&self, name: &'static str) -> Option<String> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// A key; what was given for it is never repeated.
    fn key(&mut self, name: &'static str) -> Option<Key> {
        let key = self.optional(name)?.parse();
        key.map_err(|wanted| self.mistakes.push(format!("{name} must be {wanted}."))).ok()
    }

    /// Values that are joined by commas.
    fn list<T: FromStr>(&mut self, name: &'static str, wanted: &str) -> Vec<T> {
        let text = self.text(name);
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let parsed: Vec<T> = words.iter().filter_map(|word| word.parse().ok()).collect();
        if parsed.len() < words.len() {
            self.mistakes.push(format!("{name} is {text:?}; it must be {wanted}."));
        }
        parsed
    }

    /// A number within its limits.
    fn number<T: FromStr + PartialOrd + Copy + std::fmt::Display>(
        &mut self,
        name: &'static str,
        wanted: &str,
        range: RangeInclusive<T>,
    ) -> T {
        let number = self.parsed(name, wanted, *range.start());
        if !range.contains(&number) {
            self.mistakes.push(format!("{name} is {number}; it must be {wanted}."));
        }
        number
    }

    /// The address of a PostgreSQL; it has a password in it and is never repeated.
    fn postgres(&mut self, name: &'static str, address: &str) {
        let why = match Url::parse(address) {
            Ok(url) if url.fragment().is_some() => "what follows # is no part of an address".to_owned(),
            Ok(url) if url.host_str().is_none_or(str::is_empty) && !address.contains("host=") => {
                "it names no host".to_owned()
            }
            Ok(_) => return,
            Err(error) => error.to_string(),
        };
        self.mistakes.push(format!(
            "{name} cannot be read: {why}. It must be postgres://user:password@host:port/database; in a name \
             or password, # is written as %23, @ as %40, / as %2F, : as %3A and % as %25."
        ));
    }

    /// Origins as browsers send them; another could never match.
    fn origins(&mut self, name: &'static str) -> Vec<String> {
        let origins: Vec<String> = self.list(name, "origins joined by commas");
        for origin in origins.iter().filter(|origin| *origin != "*") {
            let meant = Url::parse(origin).ok().map(|url| url.origin()).filter(url::Origin::is_tuple);
            match meant.map(|meant| meant.ascii_serialization()) {
                Some(meant) if meant == *origin => {}
                Some(meant) => self
                    .mistakes
                    .push(format!("{name} has {origin:?}, which no browser sends; it must be {meant}.")),
                None => self.mistakes.push(format!(
                    "{name} has {origin:?}; an origin is such as https://shop.example, or * for all."
                )),
            }
        }
        origins
    }

    /// What is logged; a filter that only looks like one would log nothing, without a word.
    fn log_filter(&mut self, name: &'static str) -> String {
        let filter = self.text(name);
        let readable = EnvFilter::builder().parse(&filter).is_ok();
        let silent = filter
            .parse::<Targets>()
            .is_ok_and(|targets| !targets.would_enable(env!("CARGO_PKG_NAME"), &tracing::Level::ERROR));
        if !readable || silent && filter.trim() != "off" {
            self.mistakes.push(format!(
                "{name} is {filter:?}, which logs nothing; it must be error, warn, info, debug, trace or \
                 off, or such as info,caseload::kernel=debug."
            ));
        }
        filter
    }

    fn parsed<T: FromStr>(&mut self, name: &'static str, wanted: &str, fallback: T) -> T {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name} is {text:?}; it must be {wanted}."));
            fallback
        })
    }
}

impl Config {
    /// Reads the settings through a look-up; on mistakes, all of them.
    pub fn read(look_up: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut reading = Reading { look_up, mistakes: Vec::new() };
        let database_url = reading.text("DATABASE_URL");
        let sqlite = database_url.starts_with("sqlite:");
        if !sqlite && !database_url.starts_with("postgres://") && !database_url.starts_with("postgresql://") {
            reading.mistakes.push("DATABASE_URL must begin with sqlite:// or postgres://.".into());
        } else if !sqlite {
            reading.postgres("DATABASE_URL", &database_url);
        }
        let database_read_url = reading.optional("DATABASE_READ_URL");
        if sqlite && database_read_url.is_some() {
            reading.mistakes.push("DATABASE_READ_URL goes with PostgreSQL only.".into());
        } else if let Some(read_url) = &database_read_url {
            reading.postgres("DATABASE_READ_URL", read_url);
        }
        let admin_password = reading.optional("CASELOAD_ADMIN_PASSWORD");
        if admin_password.as_ref().is_some_and(|password| password.chars().count() < 12) {
            reading.mistakes.push("CASELOAD_ADMIN_PASSWORD must be at least 12 characters long.".into());
        }
        let admin_email = reading.text("CASELOAD_ADMIN_EMAIL");
        if !admin_email.contains('@') {
            reading
                .mistakes
                .push(format!("CASELOAD_ADMIN_EMAIL is {admin_email:?}; it must be an e-mail address."));
        }
        let oidc =
            match (reading.optional("CASELOAD_OIDC_ISSUER"), reading.optional("CASELOAD_OIDC_AUDIENCE")) {
                (Some(issuer), Some(audience)) => Some((issuer, audience)),
                (None, None) => None,
                _ => {
                    reading
                        .mistakes
                        .push("CASELOAD_OIDC_ISSUER and CASELOAD_OIDC_AUDIENCE go together.".into());
                    None
                }
            };
        let metrics_listen = reading.optional("CASELOAD_METRICS_LISTEN").map(|_| {
            reading.parsed(
                "CASELOAD_METRICS_LISTEN",
                "an address such as 127.0.0.1:9090",
                SocketAddr::from(([127, 0, 0, 1], 9090)),
            )
        });
        let log_format = reading.text("CASELOAD_LOG_FORMAT");
        if !["pretty", "json"].contains(&log_format.as_str()) {
            reading
                .mistakes
                .push(format!("CASELOAD_LOG_FORMAT is {log_format:?}; it must be pretty or json."));
        }
        let trusted_proxies = match reading.text("CASELOAD_TRUSTED_PROXIES").as_str() {
            "auto" => None,
            _ => Some(reading.parsed("CASELOAD_TRUSTED_PROXIES", "auto or a number", 0)),
        };
        let connections =
            reading.number("CASELOAD_DATABASE_CONNECTIONS", "a number from 1 to 1000", 1..=1000);
        let config = Self {
            listen: reading.parsed(
                "CASELOAD_LISTEN",
                "an address such as 127.0.0.1:8080",
                SocketAddr::from(([127, 0, 0, 1], 8080)),
            ),
            database_url,
            database_read_url,
            migrate: reading.parsed("CASELOAD_MIGRATE", "true or false", true),
            connections,
            admin_email,
            admin_password,
            // OWASP's second choice: 19 MiB, two passes, one lane.
            password_cost: Params::DEFAULT,
            time_zone: reading.parsed(
                "CASELOAD_TIME_ZONE",
                "an IANA time zone such as Europe/Paris",
                Tz::UTC,
            ),
            default_group: reading.text("CASELOAD_DEFAULT_GROUP"),
            workers: reading.parsed("CASELOAD_WORKERS", "a number", 0),
            body_limit: reading.number("CASELOAD_BODY_LIMIT", "a number of bytes from 1 on", 1..=usize::MAX),
            request_timeout: Duration::from_secs(reading.number(
                "CASELOAD_REQUEST_TIMEOUT",
                "a number of seconds from 1 to 86400",
                1..=86_400,
            )),
            rate_limit: reading.parsed("CASELOAD_RATE_LIMIT", "a number", 60_000),
            intake_rate_limit: reading.parsed("CASELOAD_INTAKE_RATE_LIMIT", "a number", 600),
            intake_address_rate_limit: reading.parsed("CASELOAD_INTAKE_ADDRESS_RATE_LIMIT", "a number", 30),
            trusted_proxies,
            cors_origins: reading.origins("CASELOAD_CORS_ORIGINS"),
            secret_key: reading.key("CASELOAD_SECRET_KEY"),
            secret_key_old: reading.key("CASELOAD_SECRET_KEY_OLD"),
            outgoing_allow: reading
                .list("CASELOAD_OUTGOING_ALLOW", "networks such as 10.0.0.0/8, joined by commas"),
            oidc,
            oidc_emails_verified: reading.parsed("CASELOAD_OIDC_EMAILS_VERIFIED", "true or false", false),
            metrics_listen,
            metrics_token: reading.optional("CASELOAD_METRICS_TOKEN"),
            log: reading.log_filter("CASELOAD_LOG"),
            log_json: log_format == "json",
            unknown: Vec::new(),
        };
        if reading.mistakes.is_empty() { Ok(config) } else { Err(reading.mistakes) }
    }

    /// Reads the settings of the process: those of its arguments first, then of the environment, then of
    /// `.env`.
    #[expect(clippy::disallowed_methods, reason = "the one room that reads the environment")]
    pub fn from_environment(arguments: &[(&str, String)]) -> Result<Self, Vec<String>> {
        let file = env_file::read()?;
        let config = Self::read(&|name| {
            let argument = arguments.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            argument.or_else(|| std::env::var(name).ok()).or_else(|| file.get(name).cloned())
        })?;
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut unknown: Vec<String> =
            names.chain(file.keys().cloned()).filter_map(|name| unknown(&name)).collect();
        unknown.sort();
        unknown.dedup();
        Ok(Self { unknown, ..config })
    }

    /// Whether lines are to be JSON, also when the settings are mistaken.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one room that reads the environment")]
    pub fn wants_json() -> bool {
        const NAME: &str = "CASELOAD_LOG_FORMAT";
        let written = || env_file::read().ok()?.get(NAME).cloned();
        std::env::var(NAME).ok().or_else(written).is_some_and(|format| format == "json")
    }
}

/// What is to be said of a name that begins as ours do, and is none of them.
fn unknown(name: &str) -> Option<String> {
    const OURS: &str = "CASELOAD_";
    let rest = name.strip_prefix(OURS)?;
    let known = || SETTINGS.iter().filter_map(|setting| setting.name.strip_prefix(OURS));
    if known().any(|known| known == rest) {
        return None;
    }
    let nearest = known()
        .map(|known| (strsim::normalized_damerau_levenshtein(known, rest), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.6);
    Some(match nearest {
        Some((_, meant)) => format!("{name} is no setting; did you mean {OURS}{meant}?"),
        None => format!("{name} is no setting."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_at_once() {
        let mistakes = Config::read(&|name| match name {
            "CASELOAD_LISTEN" => Some("here".into()),
            "CASELOAD_TIME_ZONE" => Some("Mars/Olympus".into()),
            "DATABASE_URL" => Some("mysql://".into()),
            "CASELOAD_OUTGOING_ALLOW" => Some("10.0.0.0/8, home".into()),
            "CASELOAD_SECRET_KEY" => Some("c2hvcnQ=".into()),
            _ => None,
        })
        .expect_err("mistakes");
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
        assert!(!format!("{mistakes:?}").contains("c2hvcnQ="), "{mistakes:?}");
    }

    // What would be taken in silence and do nothing, or something else.
    #[test]
    fn what_could_not_work_is_a_mistake() {
        for (name, value, said) in [
            ("CASELOAD_LOG", "verbose", "logs nothing"),
            ("CASELOAD_LOG", "sqlx=debug", "logs nothing"),
            ("CASELOAD_LOG", "info,[", "logs nothing"),
            ("CASELOAD_CORS_ORIGINS", "https://shop.example/", "https://shop.example."),
            ("CASELOAD_CORS_ORIGINS", "https://Shop.example:443", "https://shop.example."),
            ("CASELOAD_CORS_ORIGINS", "shop.example", "such as https://"),
            ("CASELOAD_BODY_LIMIT", "0", "from 1 on"),
            ("CASELOAD_REQUEST_TIMEOUT", "0", "from 1 to 86400"),
            ("CASELOAD_DATABASE_CONNECTIONS", "0", "from 1 to 1000"),
            ("DATABASE_URL", "postgres://u:sec#ret@h/db", "%23"),
            ("DATABASE_URL", "postgres://u:hidden@h/db#sec", "%23"),
            ("DATABASE_READ_URL", "postgres://u:hidden@h/db", "PostgreSQL only"),
        ] {
            let mistakes =
                Config::read(&|asked| (asked == name).then(|| value.into())).expect_err("a mistake");
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(mistakes[0].starts_with(name) && mistakes[0].contains(said), "{mistakes:?}");
            assert!(
                !["sec#", "ret@", "hidden"].iter().any(|secret| mistakes[0].contains(secret)),
                "{mistakes:?}"
            );
        }
        for (name, value) in [
            ("CASELOAD_LOG", "off"),
            ("CASELOAD_LOG", "warn,caseload::kernel=debug"),
            ("CASELOAD_LOG", "caseload=info"),
            ("CASELOAD_CORS_ORIGINS", "https://shop.example, http://127.0.0.1:3000"),
            ("DATABASE_URL", "postgres://u:p%23w@h:5433/db?sslmode=require"),
            ("DATABASE_URL", "sqlite://my shop.db"),
        ] {
            Config::read(&|asked| (asked == name).then(|| value.into())).expect("a right setting");
        }
    }

    #[test]
    fn a_name_that_is_none_of_ours_is_named_with_the_nearest() {
        assert_eq!(unknown("CASELOAD_LISTEN"), None);
        assert_eq!(unknown("PATH"), None);
        assert_eq!(
            unknown("CASELOAD_TIMEZONE").as_deref(),
            Some("CASELOAD_TIMEZONE is no setting; did you mean CASELOAD_TIME_ZONE?")
        );
        assert_eq!(unknown("CASELOAD_X").as_deref(), Some("CASELOAD_X is no setting."));
    }

    #[test]
    fn passwords_cost_what_owasp_says() {
        let cost = Config::read(&|_| None).expect("the defaults").password_cost;
        assert_eq!((cost.m_cost(), cost.t_cost(), cost.p_cost()), (19_456, 2, 1));
    }

    #[test]
    fn the_example_lists_every_setting_and_its_default() {
        let example = env_file::parse(include_str!("../../.env.example")).expect("a file that can be read");
        for setting in SETTINGS {
            assert_eq!(
                example.get(setting.name).map(String::as_str),
                Some(setting.default),
                "{}",
                setting.name
            );
        }
        assert_eq!(example.len(), SETTINGS.len());
        Config::read(&|name| example.get(name).cloned()).expect("the example is right");
        Config::read(&|_| None).expect("the defaults are right");
    }
}
