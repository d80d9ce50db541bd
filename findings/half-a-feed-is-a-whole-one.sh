#!/usr/bin/env bash
# A list of leads in JSON and in XML that breaks off in the third lead.
#
# Versions   JSONStream 1.3.5, big-json 3.2.0, stream-json 1.9.1, oboe 2.1.7, jsonstream-next
#            3.0.0, fast-xml-parser 5.12.1, xml2js 0.6.2, Node 20.
# Guess      A list without its end is no JSON and no XML, and every parser says so.
# Behaviour  JSONStream and big-json hand out two leads, and then the event of a good end.
#            fast-xml-parser returns three, the last with no name and no phone. It
#            has a validator, which is not asked unless one passes true. The others
#            report an error.
# Why it matters   Where the connection or the writer breaks off without a sign, the parser is
#            the last one that could notice. The rows behind it are missing, or
#            empty fields are written over full ones.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent JSONStream@1.3.5 big-json@3.2.0 stream-json@1.9.1 oboe@2.1.7 jsonstream-next@3.0.0 fast-xml-parser@5.12.1 xml2js@0.6.2 >/dev/null 2>&1
cat >feed.cjs <<'JS'
const { Readable } = require('stream');
const { XMLParser } = require('fast-xml-parser');
const json = '[{"name":"Asha","phone":"111"},{"name":"Ravi","phone":"222"},{"name":"Mi';
const xml = '<leads><lead><name>Asha</name><phone>111</phone></lead><lead><name>Ravi</name><phone>222</phone></lead><lead><name>Mi';
const cut = (text) => Readable.from([Buffer.from(text)]);
const read = (name, start) => new Promise((done) => {
  const leads = [];
  const end = (how) => done(console.log(`${name}: ${JSON.stringify(leads.map(({ name, phone }) => name + ' ' + phone))}, ${how}`));
  start((lead) => { leads.push(lead); }, () => end('end'), () => end('error'));
});
const events = (stream, row, end, error) => stream.on('data', row).on('end', end).on('error', error);
(async () => {
  await read('JSONStream', (row, end, error) => events(cut(json).pipe(require('JSONStream').parse('*')), row, end, error));
  await read('big-json', (row, end, error) => events(cut(json).pipe(require('big-json').createParseStream()), (list) => list.forEach(row), end, error));
  await read('jsonstream-next', (row, end, error) => events(cut(json).pipe(require('jsonstream-next').parse('*')), row, end, error));
  await read('stream-json', (row, end, error) => {
    const parser = require('stream-json').parser().on('error', error);
    events(cut(json).pipe(parser).pipe(require('stream-json/streamers/StreamArray').streamArray()), ({ value }) => row(value), end, error);
  });
  await read('oboe', (row, end, error) => require('oboe')(cut(json)).node('!.*', row).done(end).fail(error));
  await read('fast-xml-parser', (row, end, error) => {
    try {
      new XMLParser().parse(xml).leads.lead.forEach(row);
      end();
    } catch { error(); }
  });
  await read('fast-xml-parser, told to validate', (row, end, error) => {
    try {
      new XMLParser().parse(xml, true).leads.lead.forEach(row);
      end();
    } catch { error(); }
  });
  await read('xml2js', (row, end, error) => require('xml2js').parseString(xml, (failed, tree) => {
    if (failed) return error();
    tree.leads.lead.forEach(row);
    end();
  }));
})();
JS
node feed.cjs >seen
cat >expected <<'OUT'
JSONStream: ["Asha 111","Ravi 222"], end
big-json: ["Asha 111","Ravi 222"], end
jsonstream-next: ["Asha 111","Ravi 222"], error
stream-json: ["Asha 111","Ravi 222"], error
oboe: ["Asha 111","Ravi 222"], error
fast-xml-parser: ["Asha 111","Ravi 222"," undefined"], end
fast-xml-parser, told to validate: [], error
xml2js: [], error
OUT
diff expected seen && cat seen
