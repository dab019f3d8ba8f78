//! Which files were read, as reports tell of them.

use std::collections::BTreeMap;

use portreeve_model::{Input, InputKind};

use super::mark::Mark;

/// Files that were read and are not forgotten, by the names of their inputs.
#[derive(Debug, Default)]
pub(crate) struct FilesRead(BTreeMap<String, Input>);

impl FilesRead {
    /// A file was read on; without a mark it is forgotten.
    pub(crate) fn note(&mut self, input: String, mark: Option<&Mark>) {
        match mark {
            Some(mark) => self.0.insert(input, told_of(mark)),
            None => self.0.remove(&input),
        };
    }

    /// What is to be told of them: one of each name. One that was renamed goes by its first name, and another
    /// may have that now.
    pub(crate) fn told(&self) -> Vec<Input> {
        let files = self.0.values().map(|file| (&file.file, file));
        let by_name: BTreeMap<_, _> = files.collect();
        by_name.into_values().cloned().collect()
    }
}

fn told_of(mark: &Mark) -> Input {
    Input {
        file: mark.name.as_str().into(),
        kind: InputKind::Log,
        format: String::new(),
        bytes: mark.size,
        sha256: String::new(),
        records: mark.index,
        proof: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_not_told_and_another_of_its_name_is() {
        let mark = |name: &str, index| Mark {
            name: name.to_owned(),
            index,
            ..Mark::default()
        };
        let mut files = FilesRead::default();
        // Rotated: the second has the name now.
        files.note("file:1".to_owned(), Some(&mark("app.log", 10)));
        files.note("file:2".to_owned(), Some(&mark("app.log", 20)));
        files.note("file:3".to_owned(), Some(&mark("other.log", 30)));
        let told = |files: &FilesRead| -> Vec<u64> {
            files.told().iter().map(|file| file.records).collect()
        };
        assert_eq!(told(&files), [20, 30]);
        files.note("file:1".to_owned(), None);
        files.note("file:3".to_owned(), None);
        assert_eq!(told(&files), [20]);
    }
}
