#!/usr/bin/env bash
# A visit sent and a lead read through SOAP, as several CRMs offer it, in Node.
#
# Version    soap 1.13.0 (npm, the client for SOAP that is used most there), defaults; the service
#            and its WSDL are in this script.
# Guess      A Date in a field of the type xsd:dateTime or xsd:date goes out as
#            2026-03-05T04:30:00Z and 2026-03-05, as JSON has it, or the call is an error. An
#            xsd:long of 18 digits comes back as a text or a BigInt.
# Behaviour  The Dates go out as <at></at> and <day></day>. The writer takes a Date for an
#            object and writes its keys, and it has none. No error. Texts go out as they are.
#            The long comes back as a number and is another id: …345678 is …345680, whereas
#            an id that was handed over as a text goes out whole.
# Why it matters   An update with empty elements clears the fields in the CRM. The id that was
#            read is that of nobody, or of another lead.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent soap@1.13.0 >/dev/null 2>&1
cat >visits.wsdl <<'XML'
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:v="urn:visits" name="Visits" targetNamespace="urn:visits">
<types><xsd:schema targetNamespace="urn:visits" elementFormDefault="qualified">
  <xsd:element name="Save"><xsd:complexType><xsd:sequence>
    <xsd:element name="lead" type="xsd:long"/><xsd:element name="at" type="xsd:dateTime"/><xsd:element name="day" type="xsd:date"/>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="Saved"><xsd:complexType><xsd:sequence>
    <xsd:element name="lead" type="xsd:long"/><xsd:element name="at" type="xsd:dateTime"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema></types>
<message name="Request"><part name="body" element="v:Save"/></message>
<message name="Response"><part name="body" element="v:Saved"/></message>
<portType name="Port"><operation name="Save"><input message="v:Request"/><output message="v:Response"/></operation></portType>
<binding name="Binding" type="v:Port"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="Save"><soap:operation soapAction="Save"/><input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
</binding>
<service name="Visits"><port name="Port" binding="v:Binding"><soap:address location="http://127.0.0.1/"/></port></service>
</definitions>
XML
cat >visits.cjs <<'JS'
const soap = require('soap');
const server = require('http').createServer((request, answer) => {
  let body = '';
  request.on('data', (part) => (body += part)).on('end', () => {
    console.log('sent', body.match(/<v:lead>.*<\/v:day>/)?.[0]);
    answer.setHeader('Content-Type', 'text/xml');
    answer.end('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Saved xmlns="urn:visits"><lead>123456789012345678</lead><at>2026-03-05T10:00:00+05:30</at></Saved></s:Body></s:Envelope>');
  });
});
server.listen(0, '127.0.0.1', async () => {
  const client = await soap.createClientAsync('visits.wsdl', { endpoint: `http://127.0.0.1:${server.address().port}/` });
  const at = new Date('2026-03-05T10:00:00+05:30');
  for (const visit of [{ at, day: at }, { at: at.toISOString(), day: '2026-03-05' }]) {
    const [saved] = await client.SaveAsync({ lead: '123456789012345678', ...visit });
    console.log('read', saved);
  }
  server.close();
  server.closeAllConnections();
});
JS
TZ=UTC node visits.cjs >seen
cat >expected <<'OUT'
sent <v:lead>123456789012345678</v:lead><v:at></v:at><v:day></v:day>
read { lead: 123456789012345680, at: 2026-03-05T04:30:00.000Z }
sent <v:lead>123456789012345678</v:lead><v:at>2026-03-05T04:30:00.000Z</v:at><v:day>2026-03-05</v:day>
read { lead: 123456789012345680, at: 2026-03-05T04:30:00.000Z }
OUT
diff expected seen && cat seen
