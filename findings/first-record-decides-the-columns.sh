#!/usr/bin/env bash
# Two leads as an API returns them, written as CSV. Only the second one has a zip.
#
# Versions   papaparse 5.7.1, csv-stringify 6.9.0, fast-csv 5.0.8, export-to-csv 1.5.0,
#            objects-to-csv 1.3.6, jsforce 3.10.16 (bulk2), json-2-csv 5.6.0, d3-dsv 3.0.2,
#            @json2csv/plainjs 7.0.8, SheetJS xlsx 0.18.5 (npm).
# Guess      The columns are those of all records, and what a record lacks is an empty cell;
#            or the second record is an error.
# Behaviour  The first five, and jsforce's bulk upload, take the keys of the first record
#            and drop the zip: no error, no warning. json-2-csv has the column, and writes
#            the word "undefined" for the lead that lacks it. d3, json2csv and SheetJS do
#            as guessed.
# Why it matters   APIs leave out what is empty. A field is exported or not by which lead
#            stands first, and a bulk update of 10,000 leads drops it for all of them.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent papaparse@5.7.1 csv-stringify@6.9.0 fast-csv@5.0.8 export-to-csv@1.5.0 objects-to-csv@1.3.6 \
  jsforce@3.10.16 json-2-csv@5.6.0 d3-dsv@3.0.2 @json2csv/plainjs@7.0.8 xlsx@0.18.5 >/dev/null 2>&1
cat >leads.mjs <<'JS'
import http from 'node:http';
import papaparse from 'papaparse';
import { stringify } from 'csv-stringify/sync';
import { writeToString } from 'fast-csv';
import { generateCsv, mkConfig } from 'export-to-csv';
import ObjectsToCsv from 'objects-to-csv';
import jsforce from 'jsforce';
import { json2csv } from 'json-2-csv';
import { csvFormat } from 'd3-dsv';
import { Parser } from '@json2csv/plainjs';
import xlsx from 'xlsx';

const leads = [{ Id: 'L1', City: 'Pune' }, { Id: 'L2', City: 'Panaji', Zip: '403001' }];
const bulk = () => new Promise((sent) => {
  const server = http.createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => (body += part)).on('end', () => {
      answer.setHeader('Content-Type', 'application/json');
      answer.end(JSON.stringify({ id: 'J1', state: 'Open', object: 'Lead' }));
      if (request.method !== 'PUT') return;
      sent(body);
      server.close();
    });
  });
  server.listen(0, '127.0.0.1', async () => {
    const crm = new jsforce.Connection({ instanceUrl: `http://127.0.0.1:${server.address().port}`, accessToken: 'practice' });
    const job = crm.bulk2.createJob({ object: 'Lead', operation: 'update' });
    await job.open();
    await job.uploadData(leads);
  });
});
const show = (name, text) => console.log(`${name}: ${text.replaceAll(/["\uFEFF]/g, '').trim().split(/\r?\n/).join(' | ')}`);
show('papaparse', papaparse.unparse(leads));
show('csv-stringify', stringify(leads, { header: true }));
show('fast-csv', await writeToString(leads, { headers: true }));
show('export-to-csv', String(generateCsv(mkConfig({ useKeysAsHeaders: true }))(leads)));
show('objects-to-csv', await new ObjectsToCsv(leads).toString());
show('jsforce, bulk2', await bulk());
show('json-2-csv', json2csv(leads));
show('d3-dsv', csvFormat(leads));
show('json2csv', new Parser().parse(leads));
show('SheetJS', xlsx.utils.sheet_to_csv(xlsx.utils.json_to_sheet(leads)));
process.exit();
JS
node leads.mjs >seen
cat >expected <<'OUT'
papaparse: Id,City | L1,Pune | L2,Panaji
csv-stringify: Id,City | L1,Pune | L2,Panaji
fast-csv: Id,City | L1,Pune | L2,Panaji
export-to-csv: Id,City | L1,Pune | L2,Panaji
objects-to-csv: Id,City | L1,Pune | L2,Panaji
jsforce, bulk2: Id,City | L1,Pune | L2,Panaji
json-2-csv: Id,City,Zip | L1,Pune,undefined | L2,Panaji,403001
d3-dsv: Id,City,Zip | L1,Pune, | L2,Panaji,403001
json2csv: Id,City,Zip | L1,Pune, | L2,Panaji,403001
SheetJS: Id,City,Zip | L1,Pune, | L2,Panaji,403001
OUT
diff expected seen && cat seen
