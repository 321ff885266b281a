//! The command line.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use super::{
    config::Config,
    console::{announce, print_error, print_line, use_json},
    demo, openapi, schema,
    serving::{self, serve_until_signalled},
    start::{self, FirstAdmin},
    telemetry,
};
use crate::{
    access::{api_keys, authenticator::Authenticator, sessions, users},
    kernel::{
        actor::Role, clock::Clock, context::Context, db::database_file, error::Error, services::Services,
    },
};

/// The headless customer-service backend for shops.
#[derive(Parser)]
#[command(name = "caseload", version, about)]
struct Cli {
    /// The address and port to listen on, before CASELOAD_LISTEN
    #[arg(long, global = true)]
    listen: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Serve a throw-away shop with a believable history, and print tokens for it
    Demo(demo::DemoArgs),
    /// Migrate the database and stop
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Look after users
    #[command(subcommand)]
    User(UserCommand),
    /// Look after API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Check the settings and the database, and stop
    CheckConfig,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a person; the password is asked for, or read from standard input
    Add(NewUserArgs),
    /// List the people: address, role, name, and who is no longer active
    List,
    /// Give a person a new password, asked for or read from standard input
    ResetPassword {
        /// The address they sign in with
        email: String,
    },
}

#[derive(Args)]
struct NewUserArgs {
    /// The address they sign in with
    email: String,
    /// Their name
    #[arg(long)]
    name: String,
    /// agent, manager or admin; agent unless said otherwise, but the first person is an administrator
    #[arg(long)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key, owned by the administrator who has been one longest; its secret is shown once
    Add {
        /// What it is for
        name: String,
        /// What it may touch, such as notes:write; as often as needed
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
    },
}

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Some(Command::Openapi)) {
        return print_line(openapi::pretty());
    }
    if Config::wants_json() {
        use_json();
    }
    let listen = cli.listen.map(|address| ("CASELOAD_LISTEN", address));
    let config = match Config::from_environment(listen.as_slice()) {
        Ok(config) => config,
        Err(mistakes) => {
            for mistake in mistakes {
                print_error(&mistake);
            }
            return ExitCode::from(2);
        }
    };
    telemetry::log(&config);
    // The system is actix's own runtime; workers of the server run beside it.
    let system = actix_web::rt::System::new();
    let outcome = system.block_on(run(cli.command.unwrap_or(Command::Serve), config));
    // Whatever its threads still reckon is for nobody any more: the end of the process waits for none of
    // them. Somebody must still hold the system: the thread that lets go of it last wakes it, and one that is
    // ending cannot.
    std::mem::forget((system, actix_web::rt::System::current()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let said = error.downcast_ref::<Error>().map(Error::for_operator);
            print_error(&said.unwrap_or_else(|| error.to_string()));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve => serve(config).await,
        Command::Demo(args) => demo::run(args, config).await,
        Command::Migrate => {
            let applied = schema::migrate(&config.database_url).await?;
            print_line(&format!("{applied} migrations applied.\n"));
            Ok(())
        }
        Command::Openapi => Ok(()),
        Command::User(command) => user(command, config).await,
        Command::Key(KeyCommand::Add { name, scopes }) => add_key(&name, &scopes, &config).await,
        Command::CheckConfig => check_config(&config).await,
    }
}

async fn serve(config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let listener = serving::bind(config.listen)?;
    for unknown in &config.unknown {
        tracing::warn!("{unknown}");
    }
    let services = start::open(&config, Clock::System).await?;
    // Said at once: whatever becomes of the start, a password that nobody has seen lets nobody in.
    if let Some(first) = start::first_rows(&config, &services).await? {
        announce_admin(&first);
    }
    start::renew_credentials(&services).await?;
    sessions::protect_signing_keys(&services).await?;
    let application = start::application(config, services)?;
    serve_until_signalled(application, listener, |address| {
        announce(
            &format!("Caseload is at http://{address} and its documentation at http://{address}/docs/\n"),
            json!({ "message": "ready", "address": format!("http://{address}") }),
        );
    })
    .await
}

fn announce_admin(FirstAdmin { email, generated_password }: &FirstAdmin) {
    let words = match generated_password {
        Some(password) => format!(
            "Sign in as    {email}\nwith password {password}\n\
             It is not shown again; `caseload user reset-password {email}` sets another.\n"
        ),
        None => format!("Sign in as    {email}\nwith password (the one in CASELOAD_ADMIN_PASSWORD)\n"),
    };
    let members =
        json!({ "message": "the first administrator", "email": email, "password": generated_password });
    announce(&words, members);
}

/// Says what a start would stumble over, and writes nothing.
async fn check_config(config: &Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    Authenticator::new(config.oidc.clone())?;
    let database = match database_file(&config.database_url) {
        Some(file) if !file.exists() => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                let (file, folder) = (file.display(), folder.display());
                return Err(
                    format!("the database file {file} cannot be made: there is no folder {folder}").into()
                );
            }
            "the database file is not there yet, and the first start makes it"
        }
        _ => match schema::missing_at(&config.database_url).await? {
            0 => "the database is, too",
            missing if config.migrate => {
                &format!("the next start applies {missing} migrations to the database")
            }
            missing => {
                return Err(format!("the database lacks {missing} migrations; run `caseload migrate`").into());
            }
        },
    };
    if !config.unknown.is_empty() {
        return Err(config.unknown.join("\n").into());
    }
    print_line(&format!("The settings are in order; {database}.\n"));
    Ok(())
}

async fn list_users(config: &Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let Services { db, .. } = start::open(config, Clock::System).await?;
    for user in users::all(db.read()).await? {
        let left = if user.active { "" } else { "  (no longer active)" };
        print_line(&format!("{}  {}  {}{left}\n", user.email, user.role.as_str(), user.name));
    }
    db.close().await;
    Ok(())
}

async fn add_key(
    name: &str,
    scopes: &[String],
    config: &Config,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let Services { db, .. } = start::open(config, Clock::System).await?;
    let admin = users::oldest_admin(db.read()).await?;
    let admin = admin.ok_or("there is no administrator yet; `caseload user add` makes one")?;
    let actor = users::actor(db.read(), &admin).await?;
    let context = Context { actor: actor.into(), ..db.system_context("command-line") };
    let new = serde_json::from_value(json!({ "name": name, "scopes": scopes }))?;
    let made = db.write(context, async move |tx| api_keys::create(tx, new).await).await;
    db.close().await;
    print_line(&format!("{}\n", made?.1));
    Ok(())
}

/// A password: asked for twice at a terminal, which does not show it, or what standard input has.
fn read_password() -> std::result::Result<String, Box<dyn std::error::Error>> {
    if !io::stdin().is_terminal() {
        return Ok(io::read_to_string(io::stdin())?.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("The same again: ")? != password {
        return Err("The two passwords differ.".into());
    }
    Ok(password)
}

async fn user(command: UserCommand, config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    if matches!(command, UserCommand::List) {
        return list_users(&config).await;
    }
    let Services { db, password_cost, .. } = start::open(&config, Clock::System).await?;
    let first = users::nobody_yet(db.read()).await?;
    if first && matches!(&command, UserCommand::Add(new) if new.role.is_some_and(|role| role != Role::Admin))
    {
        return Err("The first person must be an administrator: nobody else could add others.".into());
    }
    let password = read_password()?;
    if !(12..=200).contains(&password.chars().count()) {
        return Err("The password must be 12 to 200 characters long.".into());
    }
    let about = match &command {
        UserCommand::List => Vec::new(),
        UserCommand::Add(new) => vec![new.email.clone(), new.name.clone()],
        UserCommand::ResetPassword { email } => {
            let user = users::by_email(db.read(), email).await?.ok_or_else(|| Error::not_found("user"))?;
            if users::password::verify(&password_cost, password.clone(), user.password_hash).await? {
                return Err("The password must differ from the present one.".into());
            }
            vec![user.email, user.name]
        }
    };
    if let Some(why) = users::strength::weakness(&password, about).await? {
        return Err(format!("The password is easy to guess: {why}").into());
    }
    let hash = users::password::hash(&password_cost, password).await?;
    let done = db
        .write(db.system_context("command-line"), async move |tx| match command {
            UserCommand::List => Ok(String::new()),
            UserCommand::Add(NewUserArgs { email, name, role }) => {
                let role = role.unwrap_or(if first { Role::Admin } else { Role::Agent });
                let new = users::NewUser {
                    email: email.into(),
                    name: name.into(),
                    role,
                    password: None,
                    time_zone: None,
                    language: None,
                };
                validator::Validate::validate(&new)?;
                let user = users::create(tx, new, Some(hash)).await?;
                Ok(format!("{} is {}, {}.\n", user.email, user.id, user.role.as_str()))
            }
            UserCommand::ResetPassword { email } => {
                let user =
                    users::by_email(tx.read(), &email).await?.ok_or_else(|| Error::not_found("user"))?;
                users::set_password(tx, user.id, hash).await?;
                Ok(format!("{} has a new password.\n", user.email))
            }
        })
        .await?;
    print_line(&done);
    db.close().await;
    Ok(())
}
