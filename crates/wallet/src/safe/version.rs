//! Safe's versions, and what their deployments are called.

use std::fmt;

use alloy_primitives::{Address, address};

/// The version of a Safe's contract, as `major.minor`; what follows does not change what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SafeVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
}

impl SafeVersion {
    /// Reads `1.3.0`, `1.3.0+L2`, `1.1`. `None` where it does not begin with two numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_start_matches('v').split(['.', '+', '-']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor })
    }

    /// The version of a published implementation, by its address: that which storage slot 0 of a
    /// Safe's proxy holds.
    pub fn of_implementation(address: Address) -> Option<Self> {
        IMPLEMENTATIONS
            .iter()
            .find(|(known, ..)| *known == address)
            .map(|(_, major, minor)| Self {
                major: *major,
                minor: *minor,
            })
    }
}

impl fmt::Display for SafeVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Published implementations, from Safe's register of deployments (`safe-global/safe-deployments`).
const IMPLEMENTATIONS: &[(Address, u32, u32)] = &[
    (address!("b6029EA3B2c51D09a50B53CA8012FeEB05bDa35A"), 1, 0),
    (address!("34CfAC646f301356fAa8B21e94227e3583Fe3F5F"), 1, 1),
    (address!("6851D6fDFAfD08c0295C392436245E5bc78B0185"), 1, 2),
    (address!("d9Db270c1B5E3Bd161E8c8503c55cEABeE709552"), 1, 3),
    (address!("3E5c63644E683549055b9Be8653de26E0B4CD36E"), 1, 3),
    (address!("69f4D1788e39c87893C980c06EdF4b7f686e2938"), 1, 3),
    (address!("fb1bffC9d739B8D520DaF37dF666da4C687191EA"), 1, 3),
    (address!("41675C099F32341bf84BFc5382aF534df5C7461a"), 1, 4),
    (address!("29fcB43b46531BcA003ddC8FCB67FFE91900C762"), 1, 4),
    (address!("Ff51A5898e281Db6DfC7855790607438dF2ca44b"), 1, 5),
    (address!("Edd160fEBBD92E350D4D398fb636302fccd67C7e"), 1, 5),
];

/// A published contract that a Safe calls by delegatecall in everyday use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Runs several calls, which may be delegatecalls themselves.
    MultiSend,
    /// Runs several calls, none of them a delegatecall.
    MultiSendCallOnly,
    /// Marks a message as signed by the Safe.
    SignMessage,
    /// Deploys a contract from the Safe.
    CreateCall,
}

impl Library {
    /// The published library at an address, on chains where it stands at its usual address.
    pub fn at(address: Address) -> Option<Self> {
        LIBRARIES
            .iter()
            .find(|(known, _)| *known == address)
            .map(|(_, library)| *library)
    }

    /// Its name in Safe's sources.
    pub fn name(self) -> &'static str {
        match self {
            Self::MultiSend => "MultiSend",
            Self::MultiSendCallOnly => "MultiSendCallOnly",
            Self::SignMessage => "SignMessageLib",
            Self::CreateCall => "CreateCall",
        }
    }

    /// Whether it runs calls that are packed in its argument.
    pub fn runs_calls(self) -> bool {
        matches!(self, Self::MultiSend | Self::MultiSendCallOnly)
    }
}

/// From the same register, versions 1.1.1 to 1.5.0.
const LIBRARIES: &[(Address, Library)] = &[
    (
        address!("8D29bE29923b68abfDD21e541b9374737B49cdAD"),
        Library::MultiSend,
    ),
    (
        address!("A238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761"),
        Library::MultiSend,
    ),
    (
        address!("998739BFdAAdde7C933B942a68053933098f9EDa"),
        Library::MultiSend,
    ),
    (
        address!("38869bf66a61cF6bDB996A6aE40D5853Fd43B526"),
        Library::MultiSend,
    ),
    (
        address!("218543288004CD07832472D464648173c77D7eB7"),
        Library::MultiSend,
    ),
    (
        address!("40A2aCCbd92BCA938b02010E17A5b8929b49130D"),
        Library::MultiSendCallOnly,
    ),
    (
        address!("A1dabEF33b3B82c7814B6D82A79e50F4AC44102B"),
        Library::MultiSendCallOnly,
    ),
    (
        address!("9641d764fc13c8B624c04430C7356C1C7C8102e2"),
        Library::MultiSendCallOnly,
    ),
    (
        address!("A83c336B20401Af773B6219BA5027174338D1836"),
        Library::MultiSendCallOnly,
    ),
    (
        address!("A65387F16B013cf2Af4605Ad8aA5ec25a2cbA3a2"),
        Library::SignMessage,
    ),
    (
        address!("98FFBBF51bb33A056B08ddf711f289936AafF717"),
        Library::SignMessage,
    ),
    (
        address!("d53cd0aB83D845Ac265BE939c57F53AD838012c9"),
        Library::SignMessage,
    ),
    (
        address!("7cbB62EaA69F79e6873cD1ecB2392971036cFAa4"),
        Library::CreateCall,
    ),
    (
        address!("B19D6FFc2182150F8Eb585b79D4ABcd7C5640A9d"),
        Library::CreateCall,
    ),
    (
        address!("9b35Af71d77eaf8d7e40252370304687390A1A52"),
        Library::CreateCall,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_text_and_from_implementations() {
        let version = |major, minor| Some(SafeVersion { major, minor });
        assert_eq!(SafeVersion::parse("1.3.0+L2"), version(1, 3));
        assert_eq!(SafeVersion::parse("0.1.0"), version(0, 1));
        assert_eq!(SafeVersion::parse("latest"), None);
        let implementation = address!("34CfAC646f301356fAa8B21e94227e3583Fe3F5F");
        assert_eq!(
            SafeVersion::of_implementation(implementation),
            version(1, 1)
        );
        assert_eq!(SafeVersion::of_implementation(Address::ZERO), None);
        assert!(SafeVersion::parse("1.10.0") > SafeVersion::parse("1.9.0"));
    }
}
