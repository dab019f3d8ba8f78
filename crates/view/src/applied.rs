//! A plan as it is shown before its changes are made, and how they ended.

use serde::Serialize;

/// The most lines of a document that are compared; of longer ones all lines are shown as changed.
const COMPARED: usize = 1_000;

/// A plan to make, or to take back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The plan's digest, which `--yes` takes.
    pub digest: String,
    /// Whether the changes are taken back.
    pub undo: bool,
    /// The changes, in the order in which they are made.
    pub changes: Vec<AppliedChange>,
}

/// One change of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppliedChange {
    /// Its id in the plan.
    pub id: String,
    /// What it does, one line for each part.
    pub titles: Vec<String>,
    /// What is changed.
    pub target: String,
    /// In which account.
    pub account: Option<String>,
    /// What is there before: a document on several lines, or a word; `None` where there is nothing.
    pub before: Option<String>,
    /// What is there after.
    pub after: Option<String>,
    /// How it ended, in a word; `None` where it was only shown.
    pub ending: Option<String>,
}

/// Whether a line is taken out, put in, or stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Out,
    In,
    Stays,
}

impl AppliedChange {
    /// Both texts as one, line by line. Takes time and memory in the product of their lines, of which
    /// no more than [`COMPARED`] are looked at.
    pub(crate) fn lines(&self) -> Vec<(Mark, &str)> {
        let a: Vec<&str> = self.before.iter().flat_map(|text| text.lines()).collect();
        let b: Vec<&str> = self.after.iter().flat_map(|text| text.lines()).collect();
        if a.len() > COMPARED || b.len() > COMPARED {
            let out = a.into_iter().map(|line| (Mark::Out, line));
            return out
                .chain(b.into_iter().map(|line| (Mark::In, line)))
                .collect();
        }
        // The longest common part of each two ends of the texts.
        let width = b.len() + 1;
        let mut common = vec![0u32; (a.len() + 1) * width];
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                common[i * width + j] = if a[i] == b[j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        let mut all = Vec::with_capacity(a.len() + b.len());
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && a[i] == b[j] {
                all.push((Mark::Stays, a[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == b.len()
                || (i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
            {
                all.push((Mark::Out, a[i]));
                i += 1;
            } else {
                all.push((Mark::In, b[j]));
                j += 1;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> AppliedChange {
        AppliedChange {
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            ..AppliedChange::default()
        }
    }

    #[test]
    fn only_what_differs_is_marked() {
        let change = change(Some("a\nb\nc"), Some("a\nx\nc\nd"));
        assert_eq!(
            change.lines(),
            [
                (Mark::Stays, "a"),
                (Mark::Out, "b"),
                (Mark::In, "x"),
                (Mark::Stays, "c"),
                (Mark::In, "d")
            ]
        );
    }

    #[test]
    fn what_comes_and_goes_is_whole() {
        assert_eq!(change(None, Some("a")).lines(), [(Mark::In, "a")]);
        assert_eq!(change(Some("a"), None).lines(), [(Mark::Out, "a")]);
        let long = "x\n".repeat(COMPARED + 1);
        assert_eq!(change(Some(&long), Some("x")).lines().len(), COMPARED + 2);
    }
}
