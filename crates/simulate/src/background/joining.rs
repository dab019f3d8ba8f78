//! A new colleague: made known by the identity provider, and on the first days curious.

use serde_json::json;

use super::commands::{human_call, lines, pages};
use super::human::not_yet_hired;
use super::portal::{Portal, Way, role_session};
use crate::call::Call;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::network;
use crate::organisation::MANAGEMENT;
use crate::people::Habit;
use crate::session::{Caller, Identity};
use crate::stage::{Day, Stage};
use crate::time::{DAY, HOUR, MINUTE};

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let before = Day::at(day.midnight - DAY);
    for person in &stage.organisation.engineers {
        let joins = person.habit == Habit::NewHire
            && !day.weekend
            && !not_yet_hired(stage, day, person)
            && (not_yet_hired(stage, before, person)
                || (before.weekend
                    && not_yet_hired(stage, Day::at(day.midnight - 3 * DAY), person)));
        if !joins {
            continue;
        }
        let mut dice = stage.stream("joining", day);
        // The identity provider writes the person and their groups into Identity Center.
        let provider = Caller::new(
            &Identity::provisioning(&stage.organisation),
            network::IDENTITY_PROVIDER,
            &Client::fixed("Example SCIM Client 1.0.0"),
        );
        let mut at = day.midnight + 5 * HOUR + dice.between(0, 40 * MINUTE);
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        let tenant = stage.seeds.stream("tenant", 0).uuid();
        let create = Call::named("identitystore-scim:CreateUser")
            .request(json!({
                "httpBody": {"userName": hidden, "displayName": hidden, "active": true,
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]},
                "tenantId": tenant,
            }))
            .response(json!({"id": person.user_id, "userName": hidden, "active": true}));
        out.benign(&mut dice, at, MANAGEMENT, &provider, &create);
        for _ in stage.organisation.grants(person) {
            at += dice.between(1, 3);
            let call = Call::named("identitystore-scim:PatchGroup").request(json!({
                "httpBody": {"operations": [{"op": "add", "path": "members", "value": [{"value": person.user_id}]}],
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]},
                "tenantId": tenant,
            }));
            out.benign(&mut dice, at, MANAGEMENT, &provider, &call);
        }
        // From home, with everything that the guide for newcomers says to look at.
        let Some((account, set)) = stage.organisation.grants(person).into_iter().next() else {
            continue;
        };
        let created = day.midnight + person.begins - 20 * MINUTE;
        let portal = Portal::open(stage, person, &person.home, created - 50, &mut dice, out);
        let session = role_session(stage, person, account, set, Way::Line, created, &mut dice);
        portal.take(&session, set, Way::Line, &person.home, &mut dice, out);
        let caller = Caller::new(&session.identity, &person.home, &person.command_line);
        let mut at = created + MINUTE;
        for name in lines(set.name).iter().chain(pages(set.name)) {
            for _ in 0..stage.length(&mut dice, 1, 3).max(1) {
                let call = human_call(stage, name, &session.identity, &mut dice);
                out.benign(&mut dice, at, account, &caller, &call);
                at += dice.between(3, 40);
            }
        }
    }
}
