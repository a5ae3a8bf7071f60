// SPDX-License-Identifier: Apache-2.0
// A small SOAP service, with a description in two files, that also answers as a channel of bots does. It
// remembers what it was asked.

import http from 'node:http';
import zlib from 'node:zlib';

const types = `<?xml version="1.0"?>
<xsd:schema targetNamespace="urn:greeter" xmlns:xsd="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xsd:element name="Greet"><xsd:complexType><xsd:sequence>
    <xsd:element name="name" type="xsd:string"/><xsd:element name="times" type="xsd:int"/>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="GreetResponse"><xsd:complexType><xsd:sequence>
    <xsd:element name="text" type="xsd:string" maxOccurs="unbounded"/><xsd:element name="count" type="xsd:int"/><xsd:element name="at" type="xsd:dateTime"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>`;
const envelope = (body) => `<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${body}</soap:Body></soap:Envelope>`;
// What matters of a request, whoever sends it.
const HEADERS = ['accept', 'authorization', 'content-type', 'soapaction', 'x-more', 'x-ms-conversation-id'];

export class SoapService {
  #taken = [];

  static async start() {
    const service = new SoapService();
    service.server = http.createServer((req, res) => service.#answer(req, res));
    await new Promise((resolve) => { service.server.listen(0, '127.0.0.1', resolve); });
    service.base = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  finish() {
    this.server.close();
    this.server.closeAllConnections();
  }

  // The requests since it was last asked.
  taken() {
    return this.#taken.splice(0);
  }

  wsdl() {
    return `<?xml version="1.0" encoding="UTF-8"?>
<definitions name="Greeter" targetNamespace="urn:greeter" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:tns="urn:greeter" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema targetNamespace="urn:greeter" elementFormDefault="qualified"><xsd:include schemaLocation="${this.base}/types.xsd"/></xsd:schema></types>
  <message name="In"><part name="parameters" element="tns:Greet"/></message>
  <message name="Out"><part name="parameters" element="tns:GreetResponse"/></message>
  <portType name="Port"><operation name="Greet"><input message="tns:In"/><output message="tns:Out"/></operation></portType>
  <binding name="Binding" type="tns:Port">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Greet"><soap:operation soapAction="urn:greeter#Greet"/><input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="Greeter"><port name="Port" binding="tns:Binding"><soap:address location="${this.base}/greet"/></port></service>
</definitions>`;
  }

  async #answer(req, res) {
    const pieces = [];
    for await (const piece of req) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    const headers = Object.fromEntries(HEADERS.map((name) => [name, req.headers[name]]));
    // Ids are made anew each time.
    const known = (text) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|SecurityToken-[^"]*/g, 'ID');
    this.#taken.push({ method: req.method, url: known(req.url), headers, body: known(body) });
    if (req.url === '/reset') {
      res.destroy();
    } else if (req.url === '/none') {
      res.writeHead(404).end('none');
    } else if (req.url === '/html') {
      res.end('<html><body>none</body></html>');
    } else if (req.url === '/service?wsdl') {
      res.end(this.wsdl());
    } else if (req.url === '/types.xsd') {
      res.end(types);
    } else if (req.url.startsWith('/bot/')) {
      const list = req.url.endsWith('/members');
      res.setHeader('Content-Type', 'application/json').end(JSON.stringify(list ? [{ id: 'm', name: 'M', email: 'm@example.com', objectId: 'o' }] : { id: 'sent' }));
    } else if (req.url === '/moved') {
      res.writeHead(307, { Location: '/greet' }).end();
    } else if (body.includes('>fail<')) {
      res.writeHead(500, { 'Content-Type': 'text/xml' }).end(envelope('<soap:Fault><faultcode>soap:Client</faultcode><faultstring>No such name</faultstring></soap:Fault>'));
    } else {
      const answer = envelope('<GreetResponse xmlns="urn:greeter"><text>Hello</text><text>é€ &amp; more</text><count>2</count><at>2020-01-02T03:04:05Z</at></GreetResponse>');
      res.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Encoding': 'gzip' }).end(zlib.gzipSync(answer));
    }
  }
}
