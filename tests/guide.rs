//! The guides in `docs/guide`, carried out as a reader would: files are written, commands run, answers compared.
//!
//! A fenced block whose info string is a language and a name, as in ```` ```mom novelty.mom ````, is a file. A
//! ```` ```console ```` block holds commands after `$ ` and, below each, lines of its answer in their order; `…` stands for
//! anything within a line, and alone for any lines. `[exit code 1]` says that the command fails. All blocks of one guide
//! share a folder.

use std::{fs, path::Path};

use libtest_mimic::Trial;

use crate::{Outcome, command::momc, trial};

pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let guides = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "md"));
    guides
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            trial(format!("guide::{name}"), move || follow(&fs::read_to_string(&path)?))
        })
        .collect()
}

fn follow(guide: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut commands = 0;
    for (info, text) in blocks(guide) {
        match info.split_once(' ') {
            Some((_, file)) => fs::write(folder.path().join(file.trim()), text)?,
            None if info == "console" => {
                for (command, expected) in dialogue(&text) {
                    carry_out(folder.path(), &command, &expected)?;
                    commands += 1;
                }
            }
            None => {}
        }
    }
    if commands == 0 { Err("this guide runs no command".into()) } else { Ok(()) }
}

/// Info string and text of every fenced block.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The commands of a console block, each with the lines of its answer.
fn dialogue(text: &str) -> Vec<(String, Vec<String>)> {
    let mut dialogue: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), dialogue.last_mut()) {
            (Some(command), _) => dialogue.push((command.to_owned(), Vec::new())),
            (None, Some((_, answer))) => answer.push(line.to_owned()),
            (None, None) => {}
        }
    }
    dialogue
}

fn carry_out(folder: &Path, command: &str, expected: &[String]) -> Outcome {
    let words: Vec<&str> = command.split_whitespace().collect();
    let arguments = match &words[..] {
        ["momc", arguments @ ..] => arguments,
        // One file put behind another.
        ["cat", from, ">>", to] => {
            let (mut text, more) = (fs::read_to_string(folder.join(to))?, fs::read_to_string(folder.join(from))?);
            text.push_str(&more);
            return Ok(fs::write(folder.join(to), text)?);
        }
        _ => return Err(format!("nobody here can run `{command}`").into()),
    };
    let finished = momc(folder, arguments)?;
    let fails =
        expected.last().and_then(|line| line.strip_prefix("[exit code ")?.strip_suffix(']')?.parse::<i32>().ok());
    let answer = format!("{}{}", finished.stdout, finished.stderr);
    if finished.code != Some(fails.unwrap_or(0)) {
        return Err(format!("`{command}` ended with {:?}:\n{answer}", finished.code).into());
    }
    let mut lines = answer.lines();
    for pattern in expected.iter().filter(|line| !line.trim().is_empty() && !line.starts_with("[exit code")) {
        if pattern.trim() != "…" && !lines.any(|line| matches(pattern, line)) {
            return Err(format!("`{command}` does not answer, or not in this order,\n{pattern}\nbut\n{answer}").into());
        }
    }
    Ok(())
}

/// Whether a line is the pattern, in which `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut rest = line.trim_end();
    let mut parts = pattern.trim_end().split('…');
    let Some(head) = parts.next().and_then(|head| rest.strip_prefix(head)) else { return false };
    rest = head;
    let mut open = pattern.contains('…');
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    rest.is_empty() || open
}
