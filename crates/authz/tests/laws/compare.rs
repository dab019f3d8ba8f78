//! One comparison of the two evaluators, from bytes.

use portreeve_authz::aws::Target;
use portreeve_authz::{Decision, KeyClass};

use crate::ask::{Asked, context, keys};
use crate::naive;
use crate::source::Source;
use crate::world::{ACTIONS, CHOICES, RESOURCES, World, choices};

/// How many ways of turning out are tried of a request of which not everything is known.
const COMPLETIONS: usize = 4;

/// Holds the evaluators equal on the world and the questions that the bytes make: once with every
/// key known, once with some unknown.
///
/// # Errors
///
/// What they differ in.
pub(crate) fn compare(bytes: &[u8]) -> Result<Decision, String> {
    let mut source = Source::new(bytes);
    // The question first: it is short, and the world takes what is left.
    let action = source.pick(ACTIONS);
    let resource = source.pick(RESOURCES);
    let known = choices(&mut source, 0);
    let partly = choices(&mut source, 45);
    let completions: Vec<Vec<Option<usize>>> = (0..COMPLETIONS)
        .map(|_| {
            let fill = |(choice, (_, values)): (&Option<usize>, &(_, &[&[&str]]))| {
                let filling = source.below(values.len());
                Some(choice.unwrap_or(filling))
            };
            partly.iter().zip(CHOICES).map(fill).collect()
        })
        .collect();
    let world = World::build(&mut source);
    let asked = Asked::new(&world);
    let target = Target::Exact(resource);
    let fail = |text: String, choices: &[Option<usize>]| {
        Err(format!(
            "{text}: {action} on {resource}, {choices:?}\n{world:#?}"
        ))
    };
    let naive = |keys: &naive::Keys| {
        [false, true].map(|doubt| naive::judge(&world, action, resource, keys, doubt))
    };

    // Everything known: equal, save where AWS does not say.
    let (all, _) = context(&known);
    let answer = asked.ask(action, target, &all);
    let [no, yes] = naive(&keys(&known));
    let doubted = no.doubted || yes.doubted;
    let agrees = match answer.decision {
        Decision::Allowed => no.allowed && yes.allowed,
        Decision::Denied => !no.allowed && !yes.allowed,
        Decision::Depends => doubted,
    };
    if !agrees {
        let text = format!("{:?}, naively {no:?} or {yes:?}", answer.decision);
        return fail(text, &known);
    }

    // Some unknown: right however they turn out.
    let (some, open) = context(&partly);
    let discovered = asked.ask(action, target, &some);
    for completion in &completions {
        for verdict in naive(&keys(completion)) {
            let wrong = match discovered.decision {
                Decision::Allowed => !verdict.allowed,
                Decision::Denied => verdict.allowed,
                Decision::Depends => false,
            };
            if wrong {
                let text = format!(
                    "{:?} with {open:?} unknown, naively {verdict:?}",
                    discovered.decision
                );
                return fail(text, completion);
            }
        }
    }
    // It hangs on what is unknown, and on nothing else.
    let depends = discovered.decision == Decision::Depends;
    if depends == discovered.depends_on.is_empty() {
        return fail("depends on nothing".to_owned(), &partly);
    }
    for atom in &discovered.depends_on {
        let unknown = open.iter().any(|key| key.eq_ignore_ascii_case(&atom.key));
        let unsaid = atom.class == KeyClass::Unseen || atom.key.eq_ignore_ascii_case("k:m");
        if !unknown && !unsaid {
            return fail(format!("hangs on {atom:?}, which is known"), &partly);
        }
    }
    Ok(discovered.decision)
}
