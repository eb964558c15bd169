// Prints every test of http-cache-tests that is for shared caches: {id: {kind, dependsOn, suite}}.
import { pathToFileURL } from 'node:url'

const folder = pathToFileURL(process.argv[2] + '/')
const suites = (await import(new URL('tests/index.mjs', folder))).default
suites.push((await import(new URL('tests/surrogate-control.mjs', folder))).default)
const kinds = {}
for (const suite of suites) {
  for (const test of suite.tests) {
    if (test.browser_only === true) continue
    const { id, kind = 'required', depends_on: dependsOn = [] } = test
    kinds[id] = { kind, dependsOn, suite: suite.id }
  }
}
console.log(JSON.stringify(kinds))
