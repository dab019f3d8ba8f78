//! Words on the command line that are names or files, in any order.

use std::path::{Path, PathBuf};

use portreeve_graph::Circumstances;

use crate::arguments::{Inventory, Lack, Requests};

/// The names among some words, and the files and folders: those that are there, and those that
/// look it. Where inventory is named by its option, every word is a name. Without any path it is
/// the folder that one is in.
pub(super) fn names_and_paths(
    words: &[String],
    inventory: &Inventory,
    least: usize,
) -> (Vec<String>, Vec<PathBuf>) {
    if !inventory.inventory.is_empty() {
        return (words.to_vec(), inventory.inventory.clone());
    }
    let (mut paths, mut names): (Vec<String>, Vec<String>) =
        words.iter().cloned().partition(|word| is_path(word));
    if names.len() < least && words.len() >= least {
        // A name that is also that of a file is a name where one is missing.
        names = words.iter().take(least).cloned().collect();
        paths = words.iter().skip(least).cloned().collect();
    }
    let mut paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    (names, paths)
}

fn is_path(word: &str) -> bool {
    if word == "-" {
        return true;
    }
    // An ARN or an action may hold what a path holds, and is none.
    if word.contains(':') {
        return false;
    }
    let looks = word.ends_with('/')
        || word.starts_with("./")
        || word.starts_with("../")
        || [".json", ".gz", ".zst", ".csv"]
            .iter()
            .any(|ending| word.ends_with(ending));
    looks || Path::new(word).exists()
}

/// What is said of requests, in the user's words.
pub(super) fn given(requests: &Requests) -> Vec<String> {
    let without = requests.without.iter().map(|lack| match lack {
        Lack::Mfa => "without mfa".to_owned(),
    });
    without.chain(requests.context.iter().cloned()).collect()
}

/// Whether a name is that of a long-term key.
pub(super) fn is_long_term_key(name: &str) -> bool {
    name.starts_with("AKIA")
}

/// The circumstances that are given, or what is wrong with them. `by_key` is whether everything
/// is asked with a long-term key: its requests say nothing of a second factor, those of a session
/// without one say so.
pub(super) fn circumstances(
    requests: &Requests,
    strict: bool,
    by_key: bool,
) -> Result<Circumstances, String> {
    let mut given = match requests.without.contains(&Lack::Mfa) {
        true if by_key => Circumstances::default()
            .with("aws:MultiFactorAuthPresent", &[])
            .with("aws:MultiFactorAuthAge", &[]),
        true => Circumstances::without_mfa(),
        false => Circumstances::default(),
    };
    given.strict = strict;
    let own = given.context.len();
    for text in &requests.context {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!(
                "--context: `{text}` is not of the form KEY=VALUE, as aws:SourceIp=192.0.2.7"
            ));
        };
        let key = key.trim();
        if !key.contains(':') {
            return Err(format!(
                "--context: `{key}` is no condition key such as aws:SourceIp"
            ));
        }
        let values: Vec<String> = match value {
            "" => Vec::new(),
            value => vec![value.to_owned()],
        };
        let known = given
            .context
            .iter_mut()
            .skip(own)
            .find(|(known, _)| known.eq_ignore_ascii_case(key));
        match known {
            Some((_, all)) => all.extend(values),
            None => given.context.push((key.to_owned(), values)),
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(words: &[&str], inventory: &[&str]) -> (Vec<String>, Vec<String>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let inventory = Inventory {
            inventory: inventory.iter().map(PathBuf::from).collect(),
            config: None,
        };
        let (names, paths) = names_and_paths(&words, &inventory, 1);
        let paths = paths.into_iter().map(|path| path.display().to_string());
        (names, paths.collect())
    }

    #[test]
    fn names_and_paths_stand_in_any_order() {
        let owned =
            |list: &[&str]| -> Vec<String> { list.iter().map(|word| (*word).to_owned()).collect() };
        assert_eq!(split(&["dev"], &[]), (owned(&["dev"]), owned(&["."])));
        assert_eq!(
            split(&["iam.json", "dev", "-"], &[]),
            (owned(&["dev"]), owned(&["iam.json", "-"]))
        );
        assert_eq!(
            split(&["arn:aws:s3:::web/a.json"], &[]).0,
            owned(&["arn:aws:s3:::web/a.json"])
        );
        // `src` is a folder here.
        assert_eq!(split(&["src"], &[]), (owned(&["src"]), owned(&["."])));
        assert_eq!(
            split(&["src", "dev"], &["estate"]),
            (owned(&["src", "dev"]), owned(&["estate"]))
        );
    }

    #[test]
    fn context_is_read_or_refused_with_the_mend() {
        let read = |list: &[&str]| {
            let context = list.iter().map(|text| (*text).to_owned()).collect();
            let requests = Requests {
                context,
                without: Vec::new(),
            };
            circumstances(&requests, false, false)
        };
        let given = read(&["aws:TagKeys=a", "AWS:TagKeys=b", "aws:SourceIp="]).unwrap();
        assert_eq!(given.context.len(), 2);
        assert_eq!(given.context[0].1, ["a", "b"]);
        assert!(given.context[1].1.is_empty());
        let without = |by_key| {
            let requests = Requests {
                context: vec!["aws:SourceIp=192.0.2.7".to_owned()],
                without: vec![Lack::Mfa],
            };
            circumstances(&requests, false, by_key).unwrap().context
        };
        assert_eq!(without(false)[0].1, ["false"]);
        assert!(without(true)[0].1.is_empty());
        assert_eq!(without(true).len(), 3);
        assert!(read(&["aws:SourceIp"]).unwrap_err().contains("KEY=VALUE"));
        assert!(read(&["mfa=true"]).unwrap_err().contains("condition key"));
    }
}
