// Web PKI simulator (TEST): is it honest? The vendor's unmodified library drives both forms.

import assert from "node:assert/strict";
import { createHash, verify, X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { openBrowser } from "../../lib/browser.js";
import { testPki } from "../../lib/pki.js";
import { call, callRaw, initialise, LIBRARY_VERSION, servePage } from "./page.js";

const pki = testPki();
const identities = Object.values(pki.identities);
const CONTENT = Buffer.from("documento de TESTE");
const DIGEST = createHash("sha256").update(CONTENT).digest("base64");

test("the library under test is the pinned one", () => {
  assert.equal(LIBRARY_VERSION, "2.18.0");
});

for (const form of /** @type {const} */ (["extension", "main-world"])) {
  describe(`${form} form`, () => {
    /** @type {Awaited<ReturnType<typeof servePage>>} */
    let server;
    /** @type {import("playwright-core").BrowserContext} */
    let browser;
    /** @type {import("playwright-core").Page} */
    let page;

    before(async () => {
      server = await servePage();
      browser = await openBrowser(form === "extension" ? { simulator: { identities } } : {});
      page = await open();
    });
    after(async () => {
      await browser.close();
      server.close();
    });

    async function open() {
      const page = await browser.newPage();
      await page.goto(server.url);
      if (form === "main-world") await page.evaluate((identities) => void globalThis.startSimulator({ identities }), identities);
      assert.deepEqual(await initialise(page), { value: "ready" });
      return page;
    }

    test("lists every certificate, sorted, with dates, usages and ICP-Brasil fields", async () => {
      /** @type {any[]} */
      const listed = await page.evaluate(async () => {
        const { value } = await globalThis.call("listCertificates");
        return value.map((/** @type {any} */ item) => ({ ...item, isDate: item.validityEnd instanceof Date, end: item.validityEnd.toISOString() }));
      });
      assert.equal(listed.length, identities.length);
      assert.deepEqual(listed.map(subject), listed.map(subject).toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
      const person = listed.find((item) => item.subjectName === "CARLA PEREIRA TEST:52998224725");
      assert.equal(person.isDate, true);
      assert.equal(person.end, "2048-01-01T00:00:00.000Z");
      assert.equal(person.issuerName, "AC Segundo Nivel TEST");
      assert.equal(person.subjectDN, "CN=CARLA PEREIRA TEST:52998224725, OU=RFB e-CPF A3, O=ICP-Brasil TEST, C=BR");
      assert.equal(person.email, "carla@example.com");
      assert.deepEqual(truthy(person.keyUsage), ["digitalSignature", "keyEncipherment", "nonRepudiation"]);
      assert.deepEqual(truthy(person.extendedKeyUsage), ["clientAuth", "emailProtection"]);
      assert.equal(person.certificatePolicies[0].id, "2.16.76.1.2.3.999");
      assert.deepEqual(
        pick(person.pkiBrazil, ["cpf", "cnpj", "certificateType", "rgNumero", "rgEmissor", "rgEmissorUF", "nis"]),
        { cpf: "52998224725", cnpj: null, certificateType: "A3", rgNumero: "123456789", rgEmissor: "SSP", rgEmissorUF: "SP", nis: null },
      );
      const company = listed.find((item) => item.subjectDN.includes("e-CNPJ"));
      assert.deepEqual(
        pick(company.pkiBrazil, ["cpf", "cnpj", "responsavel", "companyName", "isPessoaFisica", "isPessoaJuridica"]),
        {
          cpf: "52998224725", cnpj: "11222333000181", responsavel: "CARLA PEREIRA TEST",
          companyName: "OFICINA MODELO TEST LTDA", isPessoaFisica: false, isPessoaJuridica: true,
        },
      );
      const octets = listed.find((item) => item.subjectName.startsWith("DIEGO"));
      assert.equal(octets.pkiBrazil.cpf, "11144477735", "OCTET STRING is read like PrintableString");
    });

    test("the library's own filters find what they name", async () => {
      const names = await page.evaluate(async () => {
        const { filters } = globalThis.pki;
        const list = async (/** @type {any} */ filter) => (await globalThis.call("listCertificates", { filter })).value.map((/** @type {any} */ c) => c.subjectName);
        return {
          cpf: await list(filters.all(filters.pkiBrazilCpfEquals("52998224725"), filters.isPkiBrazilPessoaFisica, filters.isWithinValidity)),
          cnpj: await list(filters.pkiBrazilCnpjEquals("12ABC34501DE35")),
        };
      });
      assert.deepEqual(names.cpf, [
        "CARLA PEREIRA CIFRA TEST:52998224725", "CARLA PEREIRA REVOGADA TEST:52998224725", "CARLA PEREIRA TEST:52998224725",
      ]);
      assert.deepEqual(names.cnpj, ["SELO DA FABRICA TEST LTDA:12ABC34501DE35"]);
    });

    test("thumbprints are SHA-256 and readCertificate gives the DER", async () => {
      for (const { certificate } of identities.slice(0, 3)) {
        const thumbprint = thumbprintOf(certificate);
        assert.equal(await call(page, "readCertificate", { thumbprint }), certificate);
      }
    });

    test("signHash signs a ready digest, by name and by OID", async () => {
      for (const digestAlgorithm of ["SHA-256", "SHA256", "2.16.840.1.101.3.4.2.1"]) {
        const { certificate } = person();
        const signature = await call(page, "signHash", { thumbprint: thumbprintOf(certificate), hash: DIGEST, digestAlgorithm });
        assertSigned(certificate, "sha256", CONTENT, signature);
      }
    });

    test("signHash serves the longer digests too", async () => {
      const { certificate } = person();
      const hash = createHash("sha512").update(CONTENT).digest("base64");
      const signature = await call(page, "signHash", { thumbprint: thumbprintOf(certificate), hash, digestAlgorithm: "SHA-512" });
      assertSigned(certificate, "sha512", CONTENT, signature);
    });

    test("signData hashes first", async () => {
      const { certificate } = person();
      const data = CONTENT.toString("base64");
      const signature = await call(page, "signData", { thumbprint: thumbprintOf(certificate), data, digestAlgorithm: "SHA-256" });
      assertSigned(certificate, "sha256", CONTENT, signature);
    });

    test("signHashes and signHashBatch keep the order", async () => {
      const { certificate } = person();
      const contents = ["um", "dois", "três"].map((text) => Buffer.from(`${text} TESTE`));
      const digests = contents.map((content) => createHash("sha256").update(content).digest("base64"));
      const certificateThumbprint = thumbprintOf(certificate);
      const hashes = digests.map((value) => ({ algorithm: "SHA-256", value }));
      const first = await call(page, "signHashes", { certificateThumbprint, hashes });
      const second = await call(page, "signHashBatch", { certificateThumbprint, batch: digests, digestAlgorithm: "SHA-256" });
      for (const { signatures } of [first, second]) {
        assert.equal(signatures.length, 3);
        for (const [i, content] of contents.entries()) assertSigned(certificate, "sha256", content, signatures[i]);
      }
    });

    test("versions, polling, update and preauthorization answer", async () => {
      assert.equal(await call(page, "getVersion"), "2.16.0");
      assert.equal(await call(page, "pollNative", {}), "2.16.0");
      assert.deepEqual(await call(page, "updateExtension"), { updating: false, reason: "no_update" });
      const certificateThumbprint = thumbprintOf(person().certificate);
      assert.equal(await call(page, "preauthorizeSignatures", { certificateThumbprint, signatureCount: 3 }), null);
    });

    test("refusals carry the client's codes", async () => {
      const thumbprint = thumbprintOf(person().certificate);
      const curve = thumbprintOf(/** @type {any} */ (pki.identities["curva-p256"]).certificate);
      const good = { thumbprint, hash: DIGEST, digestAlgorithm: "SHA-256" };
      await refuses("readCertificate", { thumbprint: thumbprintOf("AAAA") }, "certificate_not_found");
      await refuses("signHash", { ...good, thumbprint: thumbprintOf("AAAA") }, "certificate_not_found");
      await refuses("signHash", { ...good, thumbprint: undefined }, "command_parameter_not_set");
      await refuses("signHash", { ...good, hash: undefined }, "command_parameter_not_set");
      await refuses("signHash", { ...good, hash: "AAAA" }, "command_invalid_parameter");
      await refuses("signHash", { ...good, hash: "not base64" }, "command_invalid_parameter");
      await refuses("signHash", { ...good, digestAlgorithm: "SHA-3" }, "algorithm_not_supported");
      await refuses("signHash", { ...good, thumbprint: curve }, "algorithm_not_supported");
      await refuses("signHashes", { certificateThumbprint: thumbprint, hashes: [] }, "command_parameter_not_set");
      await refuses("signHashes", { certificateThumbprint: thumbprint, hashes: [{ algorithm: "SHA-256" }] }, "command_invalid_parameter");
      await refuses("preauthorizeSignatures", { certificateThumbprint: thumbprint }, "command_parameter_not_set");
      await refuses("listTokens", { pkcs11Modules: [] }, "command_not_supported");
    });

    test("a second page is served as well", async () => {
      const second = await open();
      assert.equal((await call(second, "listCertificates")).length, identities.length);
      await second.close();
    });

    /** @param {string} method @param {object} args @param {string} code */
    async function refuses(method, args, code) {
      const { exception } = await callRaw(page, method, args);
      assert.equal(exception?.code, code, `${method} ${JSON.stringify(args)}`);
      assert.match(exception.message, /Web PKI simulator, TEST/);
    }
  });
}

function person() {
  return /** @type {import("../lib/client.js").Identity} */ (pki.identities["pessoa-antiga"]);
}

/** @param {string} certificate base64 */
function thumbprintOf(certificate) {
  return createHash("sha256").update(Buffer.from(certificate, "base64")).digest("base64");
}

/** @param {string} certificate @param {string} digest @param {Buffer} content @param {string} signature */
function assertSigned(certificate, digest, content, signature) {
  const { publicKey } = new X509Certificate(Buffer.from(certificate, "base64"));
  assert.equal(verify(digest, content, publicKey, Buffer.from(signature, "base64")), true);
}

/** @param {any} item @returns {string} */
function subject(item) {
  return item.subjectName;
}

/** @param {Record<string, boolean>} flags */
function truthy(flags) {
  return Object.keys(flags).filter((name) => flags[name]).sort();
}

/** @param {Record<string, unknown>} object @param {string[]} names */
function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}
