//! What each check says to people, in every language: the match is exhaustive, so a new check needs its words.

use super::{Language, Text};
use crate::validation::{Check, Finding, Outcome};

/// The words of one check.
struct Words {
    /// What it is about.
    title: Text,
    /// It holds.
    holds: Text,
    /// It does not hold.
    fails: Text,
    /// It is worth a remark.
    remark: Text,
}

impl Check {
    /// What the check is about, in a few words.
    #[must_use]
    pub const fn title(self, language: Language) -> &'static str {
        words(self).title.in_language(language)
    }
}

impl Finding {
    /// What was found, as a sentence without technical detail.
    #[must_use]
    pub const fn sentence(&self, language: Language) -> &'static str {
        let words = words(self.check);
        match (self.outcome, self.sub_indication) {
            (Outcome::Passed, _) => words.holds.in_language(language),
            (Outcome::Failed, _) | (Outcome::Indeterminate, None) => words.fails.in_language(language),
            (Outcome::Indeterminate, Some(reason)) => reason.sentence(language),
            (Outcome::Warning, _) => words.remark.in_language(language),
            (Outcome::NotChecked, _) => {
                Text("esta verificação não foi feita", "this check was not made").in_language(language)
            }
        }
    }
}

const fn words(check: Check) -> Words {
    match check {
        Check::Format => Words {
            title: Text("estrutura", "structure"),
            holds: Text(
                "a estrutura da assinatura pode ser lida",
                "the structure of the signature can be read",
            ),
            fails: Text("a estrutura da assinatura está errada", "the structure of the signature is wrong"),
            remark: Text("a estrutura tem uma particularidade", "the structure has a peculiarity"),
        },
        Check::SignerCertificate => Words {
            title: Text("certificado do signatário", "signer's certificate"),
            holds: Text("o certificado indicado está presente", "the certificate that is named is there"),
            fails: Text(
                "o certificado indicado não foi encontrado",
                "the certificate that is named was not found",
            ),
            remark: Text("há uma observação sobre o certificado", "there is a remark on the certificate"),
        },
        Check::SigningCertificateReference => Words {
            title: Text("referência ao certificado", "reference to the certificate"),
            holds: Text(
                "os dados assinados apontam para este certificado",
                "the signed data point to this certificate",
            ),
            fails: Text(
                "os dados assinados apontam para outro certificado",
                "the signed data point to another certificate",
            ),
            remark: Text("a referência é fraca", "the reference is weak"),
        },
        Check::SignedAttributes => Words {
            title: Text("atributos assinados", "signed attributes"),
            holds: Text("os atributos assinados estão completos", "the signed attributes are complete"),
            fails: Text(
                "os atributos assinados faltam ou se contradizem",
                "the signed attributes are missing or contradict each other",
            ),
            remark: Text(
                "os atributos não estão na ordem da norma",
                "the attributes are not in standard order",
            ),
        },
        Check::UnsignedAttributes => Words {
            title: Text("atributos não assinados", "unsigned attributes"),
            holds: Text("os atributos não assinados podem ser lidos", "the unsigned attributes can be read"),
            fails: Text(
                "os atributos não assinados não podem ser lidos",
                "the unsigned attributes cannot be read",
            ),
            remark: Text(
                "há um atributo não assinado que não foi lido",
                "there is an unsigned attribute that was not read",
            ),
        },
        Check::Algorithms => Words {
            title: Text("algoritmos", "algorithms"),
            holds: Text("os algoritmos são aceitos e coerentes", "the algorithms are accepted and agree"),
            fails: Text("os algoritmos se contradizem", "the algorithms contradict each other"),
            remark: Text("um algoritmo merece atenção", "an algorithm deserves attention"),
        },
        Check::MessageDigest => Words {
            title: Text("conteúdo", "content"),
            holds: Text("o conteúdo é o que foi assinado", "the content is what was signed"),
            fails: Text("o conteúdo não é o que foi assinado", "the content is not what was signed"),
            remark: Text("há uma observação sobre o conteúdo", "there is a remark on the content"),
        },
        Check::SignatureValue => Words {
            title: Text("valor da assinatura", "signature value"),
            holds: Text(
                "a assinatura foi feita com a chave deste certificado",
                "the signature was made with this certificate's key",
            ),
            fails: Text(
                "a assinatura não confere com a chave deste certificado",
                "the signature does not verify with this certificate's key",
            ),
            remark: Text("há uma observação sobre o valor", "there is a remark on the value"),
        },
        Check::CertificateUsage => Words {
            title: Text("finalidade do certificado", "purpose of the certificate"),
            holds: Text("o certificado serve para este uso", "the certificate is for this use"),
            fails: Text("o certificado não serve para este uso", "the certificate is not for this use"),
            remark: Text("a finalidade merece atenção", "the purpose deserves attention"),
        },
        Check::CertificatePath => Words {
            title: Text("cadeia de certificação", "certification path"),
            holds: Text(
                "o certificado chega a uma raiz confiável",
                "the certificate leads to a trusted root",
            ),
            fails: Text(
                "o certificado não chega a uma raiz confiável",
                "the certificate does not lead to a trusted root",
            ),
            remark: Text("há uma observação sobre a cadeia", "there is a remark on the path"),
        },
        Check::CertificateValidity => Words {
            title: Text("validade do certificado", "validity of the certificate"),
            holds: Text(
                "o certificado estava no prazo na data em questão",
                "the certificate was within its validity at the time in question",
            ),
            fails: Text(
                "o certificado estava fora do prazo na data em questão",
                "the certificate was outside its validity at the time in question",
            ),
            remark: Text("o prazo merece atenção", "the validity deserves attention"),
        },
        Check::Revocation => Words {
            title: Text("revogação", "revocation"),
            holds: Text(
                "nenhum certificado da cadeia estava revogado na data em questão",
                "no certificate of the path was revoked at the time in question",
            ),
            fails: Text(
                "um certificado da cadeia estava revogado na data em questão",
                "a certificate of the path was revoked at the time in question",
            ),
            remark: Text(
                "um certificado da cadeia foi revogado depois da data em questão",
                "a certificate of the path was revoked after the time in question",
            ),
        },
        Check::IcpBrasilCertificate => Words {
            title: Text("certificado ICP-Brasil", "ICP-Brasil certificate"),
            holds: Text(
                "é um certificado ICP-Brasil de um tipo aceito",
                "it is an ICP-Brasil certificate of an accepted type",
            ),
            fails: Text(
                "não é um certificado ICP-Brasil de um tipo aceito",
                "it is not an ICP-Brasil certificate of an accepted type",
            ),
            remark: Text(
                "o certificado foge das regras da ICP-Brasil",
                "the certificate departs from the rules of ICP-Brasil",
            ),
        },
        Check::SigningTime => Words {
            title: Text("horário informado", "claimed time"),
            holds: Text("o horário informado é plausível", "the claimed time is plausible"),
            fails: Text("o horário informado é impossível", "the claimed time is impossible"),
            remark: Text("o horário informado não é plausível", "the claimed time is not plausible"),
        },
        Check::TimeStamps => Words {
            title: Text("carimbos do tempo", "time stamps"),
            holds: Text(
                "um carimbo do tempo prova quando a assinatura já existia",
                "a time stamp proves when the signature existed",
            ),
            fails: Text("um carimbo do tempo está errado", "a time stamp is wrong"),
            remark: Text(
                "um carimbo do tempo não pôde ser aproveitado",
                "a time stamp could not be relied upon",
            ),
        },
        Check::TimeStampImprint => Words {
            title: Text("objeto do carimbo", "object of the time stamp"),
            holds: Text("o carimbo se refere a esta assinatura", "the time stamp is about this signature"),
            fails: Text("o carimbo se refere a outra coisa", "the time stamp is about something else"),
            remark: Text(
                "o objeto do carimbo merece atenção",
                "the object of the time stamp deserves attention",
            ),
        },
        Check::CounterSignatures => Words {
            title: Text("contra-assinaturas", "counter-signatures"),
            holds: Text("as contra-assinaturas conferem", "the counter-signatures verify"),
            fails: Text("uma contra-assinatura está errada", "a counter-signature is wrong"),
            remark: Text("uma contra-assinatura é inconclusiva", "a counter-signature is not conclusive"),
        },
        Check::PolicyIdentifier => Words {
            title: Text("política declarada", "declared policy"),
            holds: Text(
                "a política declarada é conhecida e serve para este formato",
                "the declared policy is known and meant for this format",
            ),
            fails: Text(
                "a política declarada não serve para este formato",
                "the declared policy is not meant for this format",
            ),
            remark: Text("a política declarada não foi aplicada", "the declared policy was not applied"),
        },
        Check::PolicyHash => Words {
            title: Text("resumo da política", "hash of the policy"),
            holds: Text("o resumo declarado é o da política", "the declared hash is the policy's"),
            fails: Text("o resumo declarado não é o da política", "the declared hash is not the policy's"),
            remark: Text("o resumo da política merece atenção", "the hash of the policy deserves attention"),
        },
        Check::PolicyPeriod => Words {
            title: Text("vigência da política", "period of the policy"),
            holds: Text(
                "a política estava em vigor na data da assinatura",
                "the policy was in force at the time of the signature",
            ),
            fails: Text(
                "a política não estava em vigor na data da assinatura",
                "the policy was not in force at the time of the signature",
            ),
            remark: Text(
                "a vigência da política merece atenção",
                "the period of the policy deserves attention",
            ),
        },
        Check::PolicyAttributes => Words {
            title: Text("exigências da política", "requirements of the policy"),
            holds: Text(
                "os atributos que a política exige estão presentes",
                "the attributes that the policy asks for are there",
            ),
            fails: Text(
                "falta ou sobra um atributo segundo a política",
                "by the policy an attribute is missing or forbidden",
            ),
            remark: Text(
                "os atributos fogem um pouco da política",
                "the attributes depart a little from the policy",
            ),
        },
        Check::PolicyEntries => Words {
            title: Text("entradas da política no PDF", "entries of the policy in the PDF"),
            holds: Text(
                "o PDF tem as entradas que a política exige",
                "the PDF has the entries that the policy asks for",
            ),
            fails: Text(
                "o PDF não tem as entradas que a política exige",
                "the PDF lacks entries that the policy asks for",
            ),
            remark: Text(
                "faltam no PDF entradas que a política exige",
                "entries that the policy asks for are missing in the PDF",
            ),
        },
        Check::PolicyAlgorithms => Words {
            title: Text("algoritmos da política", "algorithms of the policy"),
            holds: Text(
                "a política admite o algoritmo e a chave",
                "the policy admits the algorithm and the key",
            ),
            fails: Text(
                "a política não admite o algoritmo ou a chave",
                "the policy does not admit the algorithm or the key",
            ),
            remark: Text("o algoritmo merece atenção", "the algorithm deserves attention"),
        },
        Check::PolicyTrust => Words {
            title: Text("confiança segundo a política", "trust by the policy"),
            holds: Text(
                "certificados e carimbos são da ICP-Brasil",
                "certificates and time stamps are of ICP-Brasil",
            ),
            fails: Text(
                "certificados ou carimbos não são da ICP-Brasil",
                "certificates or time stamps are not of ICP-Brasil",
            ),
            remark: Text(
                "não foi provado que certificados e carimbos são da ICP-Brasil",
                "it was not proved that certificates and time stamps are of ICP-Brasil",
            ),
        },
        Check::PdfDictionary => Words {
            title: Text("dicionário da assinatura", "signature dictionary"),
            holds: Text("o dicionário da assinatura está completo", "the signature dictionary is complete"),
            fails: Text("o dicionário da assinatura está errado", "the signature dictionary is wrong"),
            remark: Text("a assinatura não segue o PAdES em tudo", "the signature departs from PAdES"),
        },
        Check::PdfByteRange => Words {
            title: Text("bytes assinados", "signed bytes"),
            holds: Text(
                "a assinatura só deixa de fora a si mesma",
                "the signature leaves out nothing but itself",
            ),
            fails: Text(
                "a assinatura deixa de fora outras partes do arquivo",
                "the signature leaves out other parts of the file",
            ),
            remark: Text("os bytes assinados merecem atenção", "the signed bytes deserve attention"),
        },
        Check::PdfCoverage => Words {
            title: Text("alcance da assinatura", "coverage"),
            holds: Text(
                "a assinatura cobre o arquivo ou uma revisão inteira dele",
                "the signature covers the file or a whole revision of it",
            ),
            fails: Text(
                "a assinatura não cobre uma revisão inteira do arquivo",
                "the signature does not cover a whole revision of the file",
            ),
            remark: Text("o alcance merece atenção", "the coverage deserves attention"),
        },
        Check::PdfModifications => Words {
            title: Text("alterações posteriores", "later changes"),
            holds: Text(
                "nada do que foi assinado mudou depois",
                "nothing of what was signed changed afterwards",
            ),
            fails: Text(
                "o arquivo foi alterado depois da assinatura",
                "the file was changed after the signature",
            ),
            remark: Text(
                "o arquivo recebeu acréscimos permitidos",
                "permitted additions were made to the file",
            ),
        },
    }
}
