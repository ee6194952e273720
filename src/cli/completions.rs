//! `kshot completions` and `kshot man`: what a shell and `man` want to know.

use clap::Args;
use clap_complete::Shell;

use super::error::CliError;
use super::{Outcome, command, print_bytes};

/// Print the completions of a shell.
#[derive(Args)]
#[command(after_help = "Examples:
  kshot completions bash > ~/.local/share/bash-completion/completions/kshot
  kshot completions zsh > ~/.zfunc/_kshot
  kshot completions fish > ~/.config/fish/completions/kshot.fish")]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print the manual page: of kshot, or of one verb.
#[derive(Args)]
#[command(after_help = "Examples:\n  kshot man | man -l -\n  kshot man evaluate > kshot-evaluate.1")]
pub(super) struct Man {
    /// A verb, such as `evaluate`.
    verb: Option<String>,
}

pub(super) fn completions(arguments: &Completions) -> Result<Outcome, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(), "kshot", &mut text);
    print_bytes(&text)?;
    Ok(Outcome::Done)
}

pub(super) fn man(arguments: &Man) -> Result<Outcome, CliError> {
    let mut whole = command();
    whole.build();
    let page = match &arguments.verb {
        None => whole,
        Some(verb) => {
            let names = whole.get_subcommands().map(|verb| verb.get_name().to_string());
            let known = names.filter(|name| name != "help").collect::<Vec<_>>().join(", ");
            let found = whole.find_subcommand(verb).cloned();
            found.ok_or_else(|| {
                CliError::request(format!("there is no verb `{verb}`, expected one of {known}"))
            })?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(CliError::from_output)?;
    print_bytes(&text)?;
    Ok(Outcome::Done)
}
