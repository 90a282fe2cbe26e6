//! The people of the demo. Their numbers are synthetic, their names say TEST.

use serde::Serialize;

use crate::ports::KeyAlgorithm;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) id: &'static str,
    /// As in the certificate, without the number.
    pub(super) name: &'static str,
    /// CPF or CNPJ.
    pub(super) identifier: &'static str,
    pub(super) profile: Profile,
    pub(super) generation: Generation,
    pub(super) keeps: Keeps,
    pub(super) description: Description,
}

/// A person or a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Profile {
    /// With a CPF.
    Person,
    /// With a CNPJ.
    Company,
}

/// Which layout the certificate has (before and after Resolução CG ICP-Brasil 211/2024).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// RFB layout: OUs, `CN=NAME:NUMBER`, numbers in otherName.
    Old,
    /// Subject serialNumber, no OUs.
    New,
}

/// Where the key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// In our token.
    Hsm(KeyAlgorithm),
    /// On the person's device: in the simulator of Web PKI.
    Local,
    /// At a cloud service: in its stand-ins.
    Cloud,
}

impl Keeps {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hsm(_) => "hsm",
            Self::Local => "local",
            Self::Cloud => "lacuna",
        }
    }
}

/// One line for the portal, in its languages.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Description {
    #[serde(rename = "pt-BR")]
    pt_br: &'static str,
    en: &'static str,
    es: &'static str,
}

/// Those whose key the demo itself keeps, or puts on their device.
pub(super) const PEOPLE: [Person; 4] = [
    Person {
        id: "ana",
        name: "ANA BEATRIZ DE SOUZA TEST",
        identifier: "52998224725",
        profile: Profile::Person,
        generation: Generation::Old,
        keeps: Keeps::Hsm(KeyAlgorithm::Rsa),
        description: Description {
            pt_br: "Cliente com e-CPF guardado no HSM do banco: assina sem instalar nada.",
            en: "Customer whose e-CPF is kept in the bank's HSM: signs without installing anything.",
            es: "Clienta con su e-CPF en el HSM del banco: firma sin instalar nada.",
        },
    },
    Person {
        id: "bruno",
        name: "BRUNO CARVALHO LIMA TEST",
        identifier: "11144477735",
        profile: Profile::Person,
        generation: Generation::New,
        keeps: Keeps::Local,
        description: Description {
            pt_br: "Cliente com e-CPF no próprio computador, usado pelo Web PKI.",
            en: "Customer with an e-CPF on his own computer, used through Web PKI.",
            es: "Cliente con un e-CPF en su propia computadora, usado con Web PKI.",
        },
    },
    Person {
        id: "padaria",
        name: "PADARIA FLOR DO CAMPO LTDA TEST",
        identifier: "11222333000181",
        profile: Profile::Company,
        generation: Generation::Old,
        keeps: Keeps::Hsm(KeyAlgorithm::Ec),
        description: Description {
            pt_br: "Empresa com e-CNPJ guardado no HSM do banco, chave P-256.",
            en: "Company whose e-CNPJ is kept in the bank's HSM, with a P-256 key.",
            es: "Empresa con su e-CNPJ en el HSM del banco, clave P-256.",
        },
    },
    Person {
        id: "selo",
        name: "COOPERATIVA ALFA TEST",
        identifier: "12ABC34501DE35",
        profile: Profile::Company,
        generation: Generation::New,
        keeps: Keeps::Local,
        description: Description {
            pt_br: "Empresa com selo eletrônico (SE-S) e CNPJ alfanumérico no próprio computador.",
            en: "Company with an electronic seal (SE-S) and an alphanumeric CNPJ on its own computer.",
            es: "Empresa con sello electrónico (SE-S) y CNPJ alfanumérico en su propia computadora.",
        },
    },
];

/// Responsible for the company of the old generation.
pub(super) const RESPONSIBLE: (&str, &str) = ("CARLA MENDES PRADO TEST", "12345678909");

/// Somebody whose certificate is on Bruno's computer too: it must be shown as another person's.
pub(super) const STRANGER: Person = Person {
    id: "stranger",
    name: "DIEGO ROCHA PINTO TEST",
    identifier: "98765432100",
    profile: Profile::Person,
    generation: Generation::Old,
    keeps: Keeps::Local,
    description: Description { pt_br: "", en: "", es: "" },
};

/// Somebody whose certificate is at a cloud service: at the stand-ins, where they run.
pub(super) const IN_THE_CLOUD: Person = Person {
    id: "elisa",
    name: "ELISA NOGUEIRA FARIA TEST",
    identifier: "31415926590",
    profile: Profile::Person,
    generation: Generation::New,
    keeps: Keeps::Cloud,
    description: Description {
        pt_br: "Cliente com certificado em nuvem: autoriza cada assinatura no serviço que guarda a chave.",
        en: "Customer with a cloud certificate: she authorises each signature at the service that keeps the key.",
        es: "Clienta con certificado en la nube: autoriza cada firma en el servicio que guarda la clave.",
    },
};

/// Everybody who can log in to the portal.
pub(super) fn everybody() -> impl Iterator<Item = &'static Person> {
    PEOPLE.iter().chain([&IN_THE_CLOUD])
}

/// The person with this identifier.
pub(super) fn find(id: &str) -> Option<&'static Person> {
    everybody().find(|person| person.id == id)
}

#[cfg(test)]
mod tests {
    use rubrica_core::icp_brasil::Identifier;

    use super::*;

    #[test]
    fn everybody_is_marked_as_a_test_and_has_right_check_digits() {
        for person in everybody().chain([&STRANGER]) {
            assert!(person.name.ends_with(" TEST"));
            let identifier: Identifier = person.identifier.parse().unwrap();
            assert_eq!(matches!(identifier, Identifier::Cpf(_)), person.profile == Profile::Person);
        }
        RESPONSIBLE.1.parse::<Identifier>().unwrap();
    }
}
