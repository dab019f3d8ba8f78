//! Documents of a file that share parts: Sigma 1's `action: global`, `reset` and `repeat`.
//!
//! `global` is a template: its keys are put into every document behind it, maps within maps, and
//! where both name a key, the template's value stands. `reset` forgets it. `repeat` is the document
//! before once more, with the keys of this one put in. So did the tools that such files were written
//! for.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::yaml::{self, Node};

/// The most entries that putting documents together may copy in a file.
const MAX_COPIES: u64 = 200_000;

#[derive(Debug, Default)]
pub(crate) struct Collection {
    global: Option<Arc<Node>>,
    before: Option<Arc<Node>>,
    copies: u64,
}

impl Collection {
    /// The document that is meant; none where it only changes those behind it.
    pub(crate) fn take(&mut self, node: Arc<Node>) -> Result<Option<Arc<Node>>, Problem> {
        let Some(action) = node.get("action") else {
            self.before = Some(node.clone());
            return match self.global.clone() {
                Some(global) => self.merge(&node, &global).map(Some),
                None => Ok(Some(node)),
            };
        };
        let span = action.value.span.clone();
        match action.value.text() {
            Some("global") => {
                let node = yaml::without(&node, "action");
                self.global = Some(match self.global.clone() {
                    Some(global) => self.merge(&global, &node)?,
                    None => node,
                });
                Ok(None)
            }
            Some("reset") => {
                self.global = None;
                Ok(None)
            }
            Some("repeat") => {
                let Some(before) = self.before.clone() else {
                    return Err(refuse(
                        &span,
                        "there is no document before this one to repeat",
                    ));
                };
                let whole = self.merge(&before, &yaml::without(&node, "action"))?;
                self.before = Some(whole.clone());
                match self.global.clone() {
                    Some(global) => self.merge(&whole, &global).map(Some),
                    None => Ok(Some(whole)),
                }
            }
            _ => Err(refuse(&span, "an action is `global`, `reset` or `repeat`")
                .help("write correlations as documents with a `correlation` section")),
        }
    }

    fn merge(&mut self, base: &Arc<Node>, over: &Arc<Node>) -> Result<Arc<Node>, Problem> {
        let merged = yaml::merge(base, over, &mut self.copies);
        if self.copies > MAX_COPIES {
            return Err(Problem::error(
                DiagnosticKind::Limit,
                &over.span,
                format!("documents with `action` that copy more than {MAX_COPIES} entries"),
            ));
        }
        Ok(merged)
    }
}

fn refuse(span: &Range<usize>, message: &str) -> Problem {
    Problem::error(DiagnosticKind::Head, span, message)
}
