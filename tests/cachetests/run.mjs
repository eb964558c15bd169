// Runs tests of http-cache-tests against a cache: node run.mjs FOLDER BASE [id …]; none: all.
// Prints {id: true | [kind of failure, message]}.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [path, base, ...wanted] = process.argv.slice(2)
const folder = pathToFileURL(path + '/')
const load = name => import(new URL(name, folder))
const { runTests, getResults } = await load('client/runner.mjs')
const suites = (await load('tests/index.mjs')).default
suites.push((await load('tests/surrogate-control.mjs')).default)
const chosen = suites.map(suite => ({
  ...suite,
  tests: suite.tests.filter(test => wanted.length === 0 || wanted.includes(test.id))
}))
// Fewer at once than the suite's own hundred: a loaded machine must not turn into failures.
const AT_ONCE = 60
await runTests(chosen, createRequire(folder)('node-fetch'), false, base, AT_ONCE)
console.log(JSON.stringify(getResults()))
