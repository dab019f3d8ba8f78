use crate::client::Client;
use crate::dice::Seeds;
use crate::network;

const GIVEN: [&str; 60] = [
    "Ada", "Amir", "Anouk", "Arvid", "Bela", "Bruno", "Calla", "Cem", "Dagny", "Davor", "Edda",
    "Emre", "Fenna", "Filip", "Greta", "Gus", "Hana", "Henrik", "Ilse", "Ines", "Ivo", "Jonna",
    "Juri", "Kaja", "Kiran", "Lasse", "Leila", "Linus", "Maren", "Mateo", "Mira", "Nadia", "Nils",
    "Noor", "Odile", "Oskar", "Paula", "Pavel", "Petra", "Quirin", "Rasmus", "Rena", "Rosa",
    "Sami", "Selma", "Silvan", "Stina", "Tarik", "Thea", "Tomas", "Ulla", "Uri", "Vera", "Viktor",
    "Wanda", "Wim", "Yara", "Yusuf", "Zita", "Zoran",
];
const FAMILY: [&str; 60] = [
    "Aalund",
    "Abendroth",
    "Arkwell",
    "Bastide",
    "Bellweather",
    "Brandvik",
    "Cordero",
    "Crane",
    "Dahlin",
    "Drexel",
    "Eastmoor",
    "Ekholm",
    "Farrow",
    "Fontana",
    "Galanis",
    "Grieve",
    "Hallow",
    "Hedlund",
    "Ibsen",
    "Ironside",
    "Jansky",
    "Jolley",
    "Kestrel",
    "Kovar",
    "Larkin",
    "Lindqvist",
    "Marlowe",
    "Moreau",
    "Nandor",
    "Norling",
    "Oakhurst",
    "Ostrow",
    "Palsson",
    "Petrov",
    "Quill",
    "Quist",
    "Radek",
    "Rowntree",
    "Salter",
    "Sorensen",
    "Tamsin",
    "Thorne",
    "Udall",
    "Ullman",
    "Vance",
    "Verhoef",
    "Wadell",
    "Westray",
    "Xylander",
    "Yardley",
    "Yilmaz",
    "Zander",
    "Zeller",
    "Ashby",
    "Birch",
    "Colne",
    "Dunmore",
    "Elmet",
    "Fenwick",
    "Garth",
];

/// What a person works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Team {
    Web,
    Platform,
    Backend,
    Wallet,
    Data,
    Security,
    Finance,
    Office,
}

impl Team {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Team::Web => "web",
            Team::Platform => "platform",
            Team::Backend => "backend",
            Team::Wallet => "wallet",
            Team::Data => "data",
            Team::Security => "security",
            Team::Finance => "finance",
            Team::Office => "office",
        }
    }
}

/// How a person differs from the others in what the logs show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Works from the office, sometimes from home.
    Usual,
    /// Works from a contractor's virtual desktop at a hosting provider.
    Contractor,
    /// Away for two weeks, on a consumer VPN.
    Traveller,
    /// Runs a part of the calls inside a container, or a system inside the system: another one from
    /// the same address.
    Container,
    /// Joined within the logged time.
    NewHire,
    /// Half of the days at home, sends a part of the calls through the company's tunnel there and the
    /// rest out directly.
    SplitTunnel,
}

/// One of the organisation's people.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) given: &'static str,
    pub(crate) family: &'static str,
    /// As in `ines.kovar`.
    pub(crate) user_name: String,
    pub(crate) email: String,
    /// The Identity Center user id.
    pub(crate) user_id: String,
    pub(crate) team: Team,
    pub(crate) habit: Habit,
    /// Where they work when not in the office.
    pub(crate) home: String,
    pub(crate) command_line: Client,
    pub(crate) container: Client,
    pub(crate) browser: Client,
    /// Working hours in seconds of the day.
    pub(crate) begins: i64,
    pub(crate) ends: i64,
}

/// How many people of each team there are, and how many of those have access to AWS.
const TEAMS: [(Team, usize, usize); 8] = [
    (Team::Web, 8, 7),
    (Team::Platform, 6, 6),
    (Team::Backend, 12, 10),
    (Team::Wallet, 4, 4),
    (Team::Data, 5, 4),
    (Team::Security, 3, 3),
    (Team::Finance, 4, 1),
    (Team::Office, 18, 0),
];

const PLATFORMS: [(&str, &str); 4] = [
    (
        "2.22.35 md/awscrt#0.23.4",
        "os/macos#24.3.0 md/arch#arm64 lang/python#3.12.8 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off",
    ),
    (
        "2.23.6 md/awscrt#0.23.4",
        "os/macos#24.2.0 md/arch#arm64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off",
    ),
    (
        "2.22.20 md/awscrt#0.23.4",
        "os/linux#6.8.0-52-generic md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off",
    ),
    (
        "2.21.3 md/awscrt#0.22.0",
        "os/windows#10 md/arch#amd64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off",
    ),
];
const CONTAINER: &str = "os/linux#6.10.14-linuxkit md/arch#aarch64 lang/python#3.11.2 md/pyimpl#CPython exec-env/devcontainer cfg/retry-mode#standard md/installer#exe md/distrib#debian.12 md/prompt#off";
const SUBSYSTEM: &str = "os/linux#5.15.167.4-microsoft-standard-wsl2 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.22 md/prompt#off";
const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:135.0) Gecko/20100101 Firefox/135.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36",
];

/// Sixty people, and whether each has access to AWS. The first of the web team are the developers
/// who may deploy; which person that is differs with the seed.
pub(crate) fn people(seeds: Seeds) -> Vec<(Person, bool)> {
    let mut dice = seeds.stream("people", 0);
    let (mut given, mut family) = (GIVEN, FAMILY);
    dice.shuffle(&mut given);
    dice.shuffle(&mut family);
    let mut people = Vec::new();
    for (team, count, with_access) in TEAMS {
        for place in 0..count {
            let number = people.len();
            let (given, family) = (given[number % 60], family[number % 60]);
            let user_name = format!("{}.{}", given.to_lowercase(), family.to_lowercase());
            let habit = match (team, place) {
                (Team::Backend, 0 | 1) => Habit::Contractor,
                (Team::Backend, 2) | (Team::Data, 0) | (Team::Platform, 1) => Habit::Traveller,
                (Team::Backend, 3 | 4) | (Team::Web, 6) => Habit::Container,
                (Team::Backend, 5) => Habit::NewHire,
                (Team::Platform, 2) | (Team::Backend, 6) | (Team::Wallet, 1) => Habit::SplitTunnel,
                _ => Habit::Usual,
            };
            let laptop = match (team, habit) {
                // A contractor's desktop, and one colleague who runs Linux inside Windows.
                (_, Habit::Contractor) => 3,
                (Team::Backend, Habit::Container) if place == 4 => 3,
                (Team::Web, _) => dice.below(2) as usize,
                _ => dice.pick(&[0, 0, 1, 1, 2]),
            };
            let (version, platform) = PLATFORMS[laptop];
            let begins = 7 * 3600 + dice.between(0, 110) * 60;
            people.push((
                Person {
                    number,
                    given,
                    family,
                    email: format!("{user_name}@halyard.example"),
                    user_name,
                    user_id: dice.uuid(),
                    team,
                    habit,
                    home: network::home(number),
                    command_line: Client::command_line(version, platform),
                    container: if laptop == 3 {
                        Client::command_line("2.22.20 md/awscrt#0.23.4", SUBSYSTEM)
                    } else {
                        Client::command_line("2.19.1 md/awscrt#0.22.0", CONTAINER)
                    },
                    browser: Client::fixed(BROWSERS[if laptop < 2 { laptop } else { 2 }]),
                    begins,
                    ends: begins + dice.between(8 * 60, 9 * 60 + 15) * 60,
                },
                place < with_access,
            ));
        }
    }
    people
}
