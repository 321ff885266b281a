//! The command line.

use std::{io, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use super::{
    config::Config,
    console::{print_error, print_line},
    demo, openapi, schema,
    serving::serve_until_signalled,
    start::{self, FirstAdmin},
    telemetry,
};
use crate::{
    access::{sessions, users},
    kernel::{actor::Role, clock::Clock, error::Error, services::Services},
};

/// The headless customer-service backend for shops.
#[derive(Parser)]
#[command(name = "caseload", version, about)]
struct Cli {
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
    /// Check the settings and the database, and stop
    CheckConfig,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a person; the password is read from standard input
    Add(NewUserArgs),
    /// Give a person a new password, read from standard input
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
    /// agent, manager or admin
    #[arg(long, default_value = "agent")]
    role: Role,
}

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Some(Command::Openapi)) {
        return print_line(openapi::pretty());
    }
    let config = match Config::from_environment() {
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
    // them.
    std::mem::forget(system);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error.to_string());
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
        Command::CheckConfig => {
            schema::check_at(&config.database_url).await?;
            print_line("The settings and the database are in order.\n");
            Ok(())
        }
    }
}

async fn serve(config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let services = start::open(&config, Clock::System).await?;
    let first = start::first_rows(&config, &services).await?;
    start::renew_credentials(&services).await?;
    sessions::protect_signing_keys(&services).await?;
    let application = start::application(config, services)?;
    serve_until_signalled(application, |address| {
        if let Some(FirstAdmin { email, generated_password }) = &first {
            let password = generated_password.as_deref().unwrap_or("(the one in CASELOAD_ADMIN_PASSWORD)");
            print_line(&format!("Sign in as    {email}\nwith password {password}\n"));
        }
        print_line(&format!(
            "Caseload is at http://{address} and its documentation at http://{address}/docs/\n"
        ));
    })
    .await
}

async fn user(command: UserCommand, config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let Services { db, password_cost, .. } = start::open(&config, Clock::System).await?;
    let password = io::read_to_string(io::stdin())?.trim_end_matches(['\r', '\n']).to_owned();
    if !(12..=200).contains(&password.chars().count()) {
        return Err("The password must be 12 to 200 characters long.".into());
    }
    let about = match &command {
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
            UserCommand::Add(NewUserArgs { email, name, role }) => {
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
                Ok(format!("{} is {}.\n", user.email, user.id))
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
