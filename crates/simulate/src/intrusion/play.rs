use serde_json::json;

use super::scenario::{
    Actor, ClientKind, Network, On, Region, Scenario, Step, StepCall, System, region_named, seconds,
};
use crate::background;
use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::{Delivery, Label};
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, DEV, PERMISSION_SETS, WEB};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{DAY, HOUR};

const ISSUER: &str = "token.actions.githubusercontent.com";

/// The intruder's own things, which differ with the seed.
struct Intruder {
    exits: Vec<String>,
    server: String,
    runner: String,
    branch: String,
    pipeline_key: String,
    /// The layers of the image that the intruder puts.
    layers: Vec<String>,
}

impl Intruder {
    fn new(stage: &Stage, scenario: &Scenario) -> Self {
        let mut dice = stage.seeds.stream("intruder", 0);
        let at_home = scenario.knobs.network == Region::HomeCountry;
        let (exits, server) = network::intruder(&mut dice, at_home);
        let branch = format!(
            "fix/{}",
            dice.pick(&["cache", "headers", "lint", "types", "flaky-test", "timeout"])
        );
        Self {
            exits,
            server,
            runner: network::runner(&mut dice),
            branch,
            pipeline_key: format!("ASIA{}", dice.base32(16)),
            layers: background::push_layers(&mut dice),
        }
    }
}

/// Plays the steps of one day. `foothold` is the midnight of the scenario's day 0.
pub(crate) fn play(
    stage: &Stage,
    name: &str,
    scenario: &Scenario,
    foothold: i64,
    day: Day,
    out: &mut Delivery<'_>,
) {
    let number = (day.midnight - foothold).div_euclid(DAY);
    let intruder = Intruder::new(stage, scenario);
    let shift = shift(stage, day);
    for step in &scenario.steps {
        let last = i64::from(step.until_day.unwrap_or(step.day));
        if !(i64::from(step.day)..=last).contains(&number)
            || (step.until_day.is_some() && day.weekend)
        {
            continue;
        }
        let mut dice = stage.stream(&format!("step {} {}", scenario.base, step.id), day);
        let player = Player {
            stage,
            scenario,
            intruder: &intruder,
            day,
            foothold,
            step,
            name,
        };
        let begins = day.midnight + seconds(&step.time).unwrap_or(0) + shift;
        match (&step.until_time, step.per_day) {
            (Some(until), Some((least, most))) => {
                let ends = day.midnight + seconds(until).unwrap_or(0) + shift;
                for turn in 0..dice.between(least, most) {
                    let at = dice.between(begins, ends);
                    let call = &step.calls[dice.below(step.calls.len() as u64) as usize];
                    player.call(call, turn as u32, at, &mut dice, out);
                }
            }
            _ => {
                let all: i64 = step.calls.iter().map(|call| i64::from(call.times)).sum();
                let mut at = begins;
                let mut done = 0;
                for call in &step.calls {
                    for turn in 0..call.times {
                        player.call(call, turn, at, &mut dice, out);
                        done += 1;
                        at = match step.within {
                            Some(within) => begins + done * within / all.max(1),
                            None => at + dice.between(step.pause.0, step.pause.1),
                        };
                    }
                }
            }
        }
    }
}

/// When a step of a day begins that its scenario has at `time`.
pub(crate) fn begins(stage: &Stage, day: Day, time: &str) -> i64 {
    day.midnight + seconds(time).unwrap_or(0) + shift(stage, day)
}

/// By how much the steps of a day are moved: all together, so that their order stays.
fn shift(stage: &Stage, day: Day) -> i64 {
    stage.stream("intrusion hour", day).between(0, 6 * 60)
}

struct Player<'a> {
    stage: &'a Stage,
    scenario: &'a Scenario,
    intruder: &'a Intruder,
    day: Day,
    foothold: i64,
    step: &'a Step,
    name: &'a str,
}

impl Player<'_> {
    fn call(
        &self,
        declared: &StepCall,
        turn: u32,
        at: i64,
        dice: &mut Dice,
        out: &mut Delivery<'_>,
    ) {
        let caller = self.caller(at);
        let mut call = self.shape(declared, turn, at, dice);
        let regions = &self.step.regions;
        if let Some(region) = regions.get(turn as usize % regions.len().max(1)) {
            call.region = region_named(region).unwrap_or(call.region);
        }
        if declared.denied {
            // The policy of the users of old forbids everything without a second factor.
            call = if self.step.actor == Actor::DeveloperKey {
                call.forbidden(&caller.identity)
            } else {
                call.denied(&caller.identity)
            };
        }
        let label = Label {
            step: self.step.id.clone(),
            technique: self.step.technique.as_str().to_owned(),
            lineage: format!("{}/{}", self.name, self.step.lineage),
            one_of_many: declared.times >= 10 || self.step.per_day.is_some(),
        };
        let account = self.account();
        if self.step.collateral {
            out.benign(dice, at, account, &caller, &call);
        } else {
            out.attack(dice, at, account, &caller, &call, &label);
        }
    }

    /// The account that the step's actor belongs to.
    fn account(&self) -> Account {
        match self.step.actor {
            Actor::LoadTestKey => DEV,
            _ => WEB,
        }
    }

    fn caller(&self, at: i64) -> Caller {
        let person = &self.stage.organisation.early_bird;
        if self.step.actor == Actor::Node {
            return background::node_session(self.stage, 1, at);
        }
        let identity = match self.step.actor {
            Actor::Developer | Actor::Node => {
                background::sign_in(
                    self.stage,
                    self.day,
                    person,
                    WEB,
                    &PERMISSION_SETS[0],
                    background::Way::Line,
                )
                .identity
            }
            Actor::DeveloperKey => {
                let id = background::user_id(self.stage, WEB, &person.user_name);
                let key = background::long_lived_key(self.stage.seeds, WEB.id, &person.user_name);
                Identity::user(WEB.id, &person.user_name, &id, &key)
            }
            Actor::LoadTestKey => background::load_test_user(self.stage),
            Actor::DeveloperConsole => background::user_console(self.stage, self.day).1,
            Actor::PipelineToken => Identity::web_identity(&self.subject()),
            Actor::Pipeline => {
                let role = self.stage.organisation.role(WEB, "gha-preview");
                let provider = format!("arn:aws:iam::{}:oidc-provider/{ISSUER}", WEB.id);
                let created = self.minted_at();
                Identity::role_session(
                    &role,
                    "GitHubActions",
                    &self.intruder.pipeline_key,
                    created,
                    Extra::WebIdentity(&provider),
                )
            }
        };
        let exits = &self.intruder.exits;
        let address = match self.step.network {
            Network::Vpn1 => exits[0].as_str(),
            Network::Vpn2 => &exits[1],
            Network::Vpn3 => &exits[2],
            Network::Vpn4 => &exits[3],
            // One exit a day: a VPN client keeps its connection.
            Network::VpnAny => &exits[self.day.number() as usize % exits.len()],
            Network::Hosting => &self.intruder.server,
            Network::Runner => &self.intruder.runner,
            Network::Cluster => network::CLUSTER[1],
        };
        let plain = self.scenario.knobs.client == System::Plain;
        let client = match self.step.client {
            ClientKind::Kali | ClientKind::Node if plain => Client::plain(),
            ClientKind::Kali | ClientKind::Node => Client::kali(),
            ClientKind::Browser => Client::fixed(
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            ),
            ClientKind::Docker if plain => Client::fixed(
                "docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.8.0-49-generic os/linux arch/amd64 UpstreamClient(Docker-Client/27.5.1 \\(linux\\))",
            ),
            ClientKind::Docker => Client::fixed(
                "docker/26.1.5 go/go1.22.9 git-commit/411e817 kernel/6.11.2-amd64 os/linux arch/amd64 UpstreamClient(Docker-Client/26.1.5 \\(linux\\))",
            ),
            ClientKind::Runner => background::pipeline_client(),
        };
        Caller::new(&identity, address, &client)
    }

    fn subject(&self) -> String {
        format!("repo:halyard/web:ref:refs/heads/{}", self.intruder.branch)
    }

    /// When the scenario has the pipeline's session minted.
    fn minted_at(&self) -> i64 {
        let minting = self
            .scenario
            .steps
            .iter()
            .find(|step| step.actor == Actor::PipelineToken)
            .unwrap_or(self.step);
        let day = Day::at(self.foothold + i64::from(minting.day) * DAY);
        day.midnight + seconds(&minting.time).unwrap_or(0) + shift(self.stage, day)
    }

    fn shape(&self, declared: &StepCall, turn: u32, at: i64, dice: &mut Dice) -> Call {
        let organisation = &self.stage.organisation;
        let person = &organisation.early_bird;
        let name = declared.call.as_str();
        let writes = name == "s3:PutObject";
        match declared.on {
            None => Call::named(name),
            Some(On::WebOrigin) => Call::bucket(name, &organisation.web_bucket),
            Some(On::WebBundle) => {
                let bytes = declared.bytes.unwrap_or(187_240);
                Call::object(
                    name,
                    &organisation.web_bucket,
                    &organisation.web_bundle,
                    bytes,
                )
            }
            Some(On::WebBundles) => {
                let key = if turn == 0 && !writes {
                    organisation.web_bundle.clone()
                } else {
                    format!(
                        "_next/static/chunks/{}-{}.js",
                        dice.below(900) + 100,
                        dice.hex(16)
                    )
                };
                Call::object(
                    name,
                    &organisation.web_bucket,
                    &key,
                    dice.between(2_000, 180_000),
                )
            }
            Some(On::Distribution) if name.ends_with(":CreateInvalidation") => {
                background::invalidation(&organisation.distribution, dice)
            }
            Some(On::Distribution) if name.ends_with(":ListInvalidations") => {
                Call::named(name).request(json!({"distributionId": organisation.distribution}))
            }
            Some(On::Distribution) => {
                Call::named(name).request(json!({"id": organisation.distribution}))
            }
            Some(On::Image) if name == "ecr:PutImage" => {
                let layers = &self.intruder.layers;
                Call::put_image(WEB.id, "web-edge", "stable", &dice.hex(64), layers)
            }
            Some(On::Image) if name == "ecr:BatchGetImage" => {
                let tag = json!({"imageIds": [{"imageTag": "stable"}]});
                Call::repository(name, WEB.id, "web-edge", tag)
            }
            Some(On::ImageLayers) => {
                let layers = &self.intruder.layers;
                background::layer(WEB.id, "web-edge", &layers[turn as usize % layers.len()])
            }
            Some(On::Machines) => background::launch(self.account(), 1, dice),
            Some(On::Archive) => {
                let key = format!("{}/part-{turn:05}.parquet", background::ARCHIVE);
                let bytes = declared.bytes.unwrap_or(1 << 30);
                Call::object(name, background::ARCHIVE_BUCKET, &key, bytes).in_account(DEV)
            }
            Some(On::Image) => {
                Call::repository(name, WEB.id, "web-edge", json!({"maxResults": 100}))
            }
            Some(On::PipelineRole) => self.mint(name, at, dice),
            Some(On::Person) => Call::named(name),
            Some(On::PersonRole) => {
                let role = organisation.reserved_role(WEB, PERMISSION_SETS[0].name);
                Call::named(name).request(json!({"roleName": role.name}))
            }
            Some(On::SecondFactor) => {
                let device = person.given.to_lowercase();
                let serial = format!("arn:aws:iam::{}:mfa/{device}", WEB.id);
                let request = if name.ends_with(":CreateVirtualMFADevice") {
                    json!({"virtualMFADeviceName": device})
                } else {
                    json!({"userName": person.user_name, "serialNumber": serial})
                };
                Call::named(name).request(request)
            }
            Some(On::WalletSecrets) => self.secret(true, turn),
            Some(On::OtherSecrets) => self.secret(false, turn),
        }
    }

    fn secret(&self, wallet: bool, turn: u32) -> Call {
        let secrets: Vec<_> = self
            .stage
            .organisation
            .secrets
            .iter()
            .filter(|(.., tagged)| *tagged == wallet)
            .collect();
        Call::secret(&secrets[turn as usize % secrets.len()].1)
    }

    fn mint(&self, name: &str, at: i64, dice: &mut Dice) -> Call {
        let role = self.stage.organisation.role(WEB, "gha-preview");
        let token = background::session_token(dice);
        let minted = Minted {
            key: &self.intruder.pipeline_key,
            token: &token,
            expires: at + HOUR,
        };
        let mut call = Call::assume_role(
            name,
            &role,
            "GitHubActions",
            &minted,
            json!({"durationSeconds": 3600}),
        );
        call.response["subjectFromWebIdentityToken"] = self.subject().into();
        call.response["audience"] = "sts.amazonaws.com".into();
        call.response["provider"] =
            format!("arn:aws:iam::{}:oidc-provider/{ISSUER}", WEB.id).into();
        call
    }
}
