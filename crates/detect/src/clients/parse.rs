use super::{Client, ClientKind, without_brackets, words};

/// How many parts of a user agent are looked at; real ones have about twenty.
const PARTS: usize = 96;

/// The longest product name that is compared with known ones: some carry a UUID.
const LONGEST_WORD: usize = 64;

/// Rank of what was found for the program: the best one stays, of equals the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    #[default]
    None,
    /// A product that nothing is known of.
    Unknown,
    Library,
    Browser,
    Known,
    Infrastructure,
    Offensive,
}

pub(super) fn parse(user_agent: &str) -> Client<'_> {
    let plain = without_brackets(user_agent);
    let mut reading = Reading::default();
    if let Some(kind) = provider(plain) {
        reading.client.tool = plain;
        reading.client.kind = kind;
        return reading.client;
    }
    for part in Parts(plain).take(PARTS) {
        match part {
            Part::Comment(text) => reading.comment(text),
            Part::Product(text) => reading.product(text),
        }
    }
    reading.finish(plain)
}

/// What the provider writes in place of a client where its own services call.
fn provider(plain: &str) -> Option<ClientKind> {
    match plain {
        "AWS Internal" => return Some(ClientKind::Service),
        "signin.amazonaws.com" => return Some(ClientKind::Console),
        _ => {}
    }
    let service = plain.strip_suffix(".amazonaws.com")?;
    if service.contains(['/', ' ']) {
        return None;
    }
    let console = service == "console" || service.starts_with("console.");
    Some(if console {
        ClientKind::Console
    } else {
        ClientKind::Service
    })
}

#[derive(Default)]
struct Reading<'a> {
    client: Client<'a>,
    rank: Rank,
    browser: Option<(usize, &'static str, Option<&'a str>)>,
    mozilla: Option<&'a str>,
    /// What the kernel's release suggests, used where nothing tells more.
    guessed_distribution: Option<&'static str>,
    guessed_environment: Option<&'static str>,
}

impl<'a> Reading<'a> {
    fn tool(&mut self, rank: Rank, name: &'a str, version: Option<&'a str>, kind: ClientKind) {
        if rank > self.rank {
            self.rank = rank;
            self.client.tool = name;
            self.client.version = version;
            self.client.kind = kind;
        }
    }

    /// One product: `name/version`, or a pair of the AWS form, `os/linux#6.1`.
    fn product(&mut self, text: &'a str) {
        let text = text.trim_end_matches([',', ';']);
        let (name, rest) = match text.split_once('/') {
            Some((name, rest)) => (name, Some(rest).filter(|rest| !rest.is_empty())),
            None => (text, None),
        };
        if let Some(rest) = rest
            && self.pair(name, rest)
        {
            return;
        }
        self.program(name, rest);
    }

    /// The pairs of the AWS libraries' user agents; see "User agent header" of the AWS SDKs and
    /// Tools reference guide. Older libraries write `md/name/value` for `md/name#value`.
    fn pair(&mut self, name: &str, rest: &'a str) -> bool {
        let (key, value) = match rest.split_once(['#', '/']) {
            Some((key, value)) => (key, Some(value).filter(|value| !value.is_empty())),
            None => (rest, None),
        };
        let client = &mut self.client;
        match name {
            "os" => {
                self.system(key, value);
            }
            "lang" => {
                client.language = Some(key);
                client.language_version = value;
            }
            "exec-env" => client.environment = Some(rest),
            "command" => client.command = Some(rest),
            // Version 1 and early 2 of the AWS command line: `exe/x86_64.ubuntu.22`.
            "exe" => match rest.split_once('.') {
                Some((architecture, distribution)) => {
                    client.architecture = Some(architecture);
                    self.distribution(distribution);
                }
                None => client.architecture = Some(rest),
            },
            "md" | "ft" | "cfg" | "m" | "ua" | "api" | "internal" | "app" | "vendor" | "prompt" => {
                match (name, key, value) {
                    ("md", "command", Some(command)) => client.command = Some(command),
                    ("md", "distrib", Some(distribution)) => self.distribution(distribution),
                    ("md", "arch" | "GOARCH", Some(architecture)) => {
                        client.architecture = Some(architecture);
                    }
                    ("md", "GOOS", Some(system)) => self.system(system, None),
                    ("md", "nodejs", version) => {
                        client.language_version = client.language_version.or(version);
                    }
                    _ => {}
                }
            }
            _ => return false,
        }
        true
    }

    fn program(&mut self, name: &'a str, version: Option<&'a str>) {
        let mut buffer = [0; LONGEST_WORD];
        let Some(lower) = lowered(name, &mut buffer) else {
            return self.tool(Rank::Unknown, name, version, ClientKind::Other);
        };
        match lower {
            // The system and the language of older forms: `Linux/5.10.0`, `Python/3.11.4`.
            "linux" | "darwin" | "windows" | "macos" | "freebsd" if version.is_some() => {
                return self.system(name, version);
            }
            "python" | "java" | "ruby" | "php" | "nodejs" | "go" if version.is_some() => {
                if self.client.language.is_none() {
                    self.client.language = Some(name);
                    self.client.language_version = version;
                }
                return;
            }
            "mozilla" => {
                self.mozilla = self.mozilla.or(Some(name));
                if self.client.version.is_none() && self.rank == Rank::None {
                    self.client.version = version;
                }
                return;
            }
            "aws-credentials-for-github-actions"
            | "configure-aws-credentials-for-github-actions" => {
                self.guessed_environment = Some("GitHub Actions");
                return;
            }
            _ => {}
        }
        if let Some(known_as) = words::offensive_tool(lower) {
            self.client.offensive = self.client.offensive.or(Some(known_as));
            return self.tool(Rank::Offensive, known_as, version, ClientKind::Other);
        }
        if self.mozilla.is_some()
            && let Some(place) = words::BROWSERS.iter().position(|(it, _)| *it == lower)
        {
            if self.browser.is_none_or(|(best, ..)| place < best) {
                self.browser = Some((place, words::BROWSERS[place].1, version));
            }
            return;
        }
        if let Some((known_as, kind)) = words::tool(lower) {
            let rank = match kind {
                ClientKind::Infrastructure => Rank::Infrastructure,
                ClientKind::Library => Rank::Library,
                _ => Rank::Known,
            };
            return self.tool(rank, known_as, version, kind);
        }
        if words::is_library(lower) {
            return self.tool(Rank::Library, name, version, ClientKind::Library);
        }
        // What stands behind the first product mostly tells what that one is built on.
        if !words::is_announcement(lower) && self.mozilla.is_none() {
            self.tool(Rank::Unknown, name, version, ClientKind::Other);
        }
    }

    /// What stands in parentheses: `Windows NT 10.0; Win64; x64`, `go1.22.7; linux; amd64`.
    fn comment(&mut self, text: &'a str) {
        for part in text.split(';').take(PARTS).map(str::trim) {
            if let Some(version) = part.strip_prefix("go1.") {
                self.client.language = self.client.language.or(Some("go"));
                let start = part.len() - version.len() - 2;
                self.client.language_version = self.client.language_version.or(part.get(start..));
            } else if let Some(version) = after(part, "Windows NT ") {
                self.system("windows", Some(version));
            } else if let Some(version) = after(part, "Mac OS X ") {
                self.system("macos", Some(version));
            } else if let Some(version) = after(part, "Android ") {
                // It also says Linux, before.
                self.client.system = Some("Android");
                self.client.system_version = Some(version);
            } else if matches!(part, "amd64" | "arm64" | "x64" | "x86_64" | "aarch64") {
                self.client.architecture = self.client.architecture.or(Some(part));
            } else if part.len() <= 24 {
                let word = part.strip_prefix("X11").unwrap_or(part).trim();
                let (word, rest) = word.split_once(' ').unwrap_or((word, ""));
                if !word.is_empty() {
                    self.system(word, None);
                }
                if matches!(rest, "x86_64" | "aarch64" | "armv8l") {
                    self.client.architecture = self.client.architecture.or(Some(rest));
                }
            }
        }
    }

    fn system(&mut self, word: &str, version: Option<&'a str>) {
        let Some(system) = words::system(word) else {
            return;
        };
        if self.client.system.is_none() {
            self.client.system = Some(system);
        }
        if self.client.system_version.is_none() && self.client.system == Some(system) {
            self.client.system_version = version;
        }
        if system == "Linux"
            && let Some(release) = version
        {
            let (distribution, machine) = words::kernel(release);
            self.guessed_distribution = self.guessed_distribution.or(distribution);
            self.guessed_environment = self.guessed_environment.or(machine);
        }
    }

    fn distribution(&mut self, text: &'a str) {
        let (name, version) = match text.split_once('.') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        self.client.distribution = Some(name);
        self.client.distribution_version = version;
    }

    fn finish(mut self, plain: &'a str) -> Client<'a> {
        if let Some((_, browser, version)) = self.browser {
            self.tool(Rank::Browser, browser, version, ClientKind::Browser);
        }
        if let Some(mozilla) = self.mozilla
            && self.rank == Rank::None
        {
            self.client.tool = mozilla;
            self.client.kind = ClientKind::Browser;
        }
        let client = &mut self.client;
        if client.tool.is_empty() {
            let end = plain.find(['/', ' ', ',']).unwrap_or(plain.len());
            client.tool = &plain[..end];
        }
        client.distribution = client.distribution.or(self.guessed_distribution);
        client.environment = client.environment.or(self.guessed_environment);
        client.offensive = client.offensive.or_else(|| {
            client
                .distribution
                .and_then(words::offensive_distribution)
                .or_else(|| {
                    let mut buffer = [0; LONGEST_WORD];
                    let environment = client.environment?;
                    // `grimoire_` and a number of the run.
                    let name = environment.split('_').next()?;
                    words::offensive_tool(lowered(name, &mut buffer)?)
                })
        });
        if client.language.is_none() {
            client.language = language_of(client.tool);
        }
        self.client
    }
}

/// The language that a library of AWS is for.
fn language_of(tool: &str) -> Option<&'static str> {
    let library = tool.strip_prefix("aws-sdk-")?;
    [
        "go", "java", "js", "rust", "dotnet", "ruby", "php", "cpp", "swift", "kotlin", "python",
    ]
    .into_iter()
    .find(|language| library.starts_with(language))
}

/// A word in lower case, where it is short enough to be one that is known.
fn lowered<'b>(word: &str, buffer: &'b mut [u8; LONGEST_WORD]) -> Option<&'b str> {
    let lower = buffer.get_mut(..word.len())?;
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let position = text.find(start)?;
    let version = text[position + start.len()..].trim();
    Some(version.split(' ').next().unwrap_or(version))
}

enum Part<'a> {
    Product(&'a str),
    /// The text in a pair of parentheses, inner ones included.
    Comment(&'a str),
}

/// Products by spaces, comments by parentheses. One that is never closed ends with the text.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let text = self.0.trim_start();
        if text.is_empty() {
            self.0 = text;
            return None;
        }
        if let Some(comment) = text.strip_prefix('(') {
            let mut depth = 1_u32;
            let end = comment.bytes().position(|byte| {
                match byte {
                    b'(' => depth = depth.saturating_add(1),
                    b')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let end = end.unwrap_or(comment.len());
            self.0 = comment.get(end + 1..).unwrap_or_default();
            return Some(Part::Comment(&comment[..end]));
        }
        let end = text
            .find(|character: char| character.is_whitespace() || character == '(')
            .unwrap_or(text.len());
        let (product, rest) = text.split_at(end);
        self.0 = rest;
        Some(Part::Product(product))
    }
}
