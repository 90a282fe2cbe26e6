//! What each reason says to people, in every language.

use super::{Language, Text};
use crate::validation::SubIndication;

impl SubIndication {
    /// The reason as a sentence without technical detail.
    #[must_use]
    pub const fn sentence(self, language: Language) -> &'static str {
        words(self).in_language(language)
    }
}

const fn words(reason: SubIndication) -> Text {
    match reason {
        SubIndication::FormatFailure => {
            Text("a estrutura não segue a norma", "the structure does not follow the standard")
        }
        SubIndication::HashFailure => Text(
            "o conteúdo foi alterado depois da assinatura",
            "the content was changed after the signature",
        ),
        SubIndication::SigCryptoFailure => Text(
            "a assinatura não foi feita com a chave do certificado",
            "the signature was not made with the certificate's key",
        ),
        SubIndication::Revoked => Text(
            "o certificado já estava revogado quando a assinatura foi provada",
            "the certificate was already revoked when the signature is proved to have existed",
        ),
        SubIndication::Expired => Text(
            "o certificado já estava vencido quando a assinatura foi provada",
            "the certificate had already expired when the signature is proved to have existed",
        ),
        SubIndication::NotYetValid => {
            Text("o certificado ainda não era válido", "the certificate was not valid yet")
        }
        SubIndication::SigConstraintsFailure => Text(
            "uma exigência sobre a assinatura não foi atendida",
            "a requirement on the signature is not met",
        ),
        SubIndication::ChainConstraintsFailure => Text(
            "uma exigência sobre a cadeia de certificação não foi atendida",
            "a requirement on the certification path is not met",
        ),
        SubIndication::CertificateChainGeneralFailure => Text(
            "a cadeia de certificação não pôde ser validada",
            "the certification path cannot be validated",
        ),
        SubIndication::CryptoConstraintsFailure => {
            Text("um algoritmo é fraco demais ou não é aceito", "an algorithm is too weak or not accepted")
        }
        SubIndication::CryptoConstraintsFailureNoPoe => Text(
            "um algoritmo hoje é fraco demais, e nada prova que a assinatura é mais antiga",
            "an algorithm is too weak by now, and nothing proves that the signature is older",
        ),
        SubIndication::PolicyProcessingError => {
            Text("a política declarada não pôde ser aplicada", "the declared policy cannot be applied")
        }
        SubIndication::SignaturePolicyNotAvailable => {
            Text("a política declarada não é conhecida", "the declared policy is not known")
        }
        SubIndication::TimestampOrderFailure => {
            Text("a ordem dos carimbos do tempo é impossível", "the order of the time stamps is impossible")
        }
        SubIndication::NoSigningCertificateFound => {
            Text("o certificado do signatário não foi encontrado", "the signer's certificate was not found")
        }
        SubIndication::NoCertificateChainFound => Text(
            "o certificado não chega a uma raiz confiável",
            "the certificate does not lead to a trusted root",
        ),
        SubIndication::RevokedNoPoe => Text(
            "o certificado está revogado, e nada prova que a assinatura é anterior",
            "the certificate is revoked, and nothing proves that the signature is older",
        ),
        SubIndication::RevokedCaNoPoe => Text(
            "uma autoridade da cadeia está revogada, e nada prova que a assinatura é anterior",
            "an authority of the path is revoked, and nothing proves that the signature is older",
        ),
        SubIndication::OutOfBoundsNotRevoked => Text(
            "o certificado venceu sem ter sido revogado, e nada prova quando a assinatura existia",
            "the certificate expired without having been revoked, and nothing proves when the signature existed",
        ),
        SubIndication::OutOfBoundsNoPoe => Text(
            "o certificado está fora do prazo, e nada prova quando a assinatura existia",
            "the certificate is outside its validity, and nothing proves when the signature existed",
        ),
        SubIndication::RevocationOutOfBoundsNoPoe => Text(
            "os dados de revogação são de um emissor fora do prazo, e nada prova de quando são",
            "the revocation data are by an issuer outside its validity, and nothing proves their age",
        ),
        SubIndication::NoPoe => {
            Text("falta a prova de que algo existia na data em questão", "a proof of existence is missing")
        }
        SubIndication::TryLater => Text(
            "faltam dados de revogação recentes: consulte de novo mais tarde",
            "recent revocation data are missing: ask again later",
        ),
        SubIndication::SignedDataNotFound => {
            Text("o conteúdo assinado não está disponível", "the signed content is not at hand")
        }
        SubIndication::Generic => {
            Text("há algo que não é verificado aqui", "there is something that is not verified here")
        }
    }
}
