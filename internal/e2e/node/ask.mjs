// What the scripts beside this one have in common that call a provider, as any
// application might: they make the same calls whatever is at URL, and write of
// each, as JSON on a line of stdout, all that the client gave and what it threw.
//
//	node ask-CLIENT.mjs URL MODEL KEY [PROMPT]
export const [url, model, apiKey, given] = process.argv.slice(2);

// prompts are what the origin of the tests answers in so many ways, or the one
// that was given.
export const prompts = given ? { given } : {
  text: "tokens=60",
  reasoning: "reasoning=12 tokens=20",
  calls: "tokens=3 calls=2",
  refusal: "refuse tokens=8",
  error: "tokens=20 error=7",
  "error at once": "error=0",
  unauthorized: "status=401",
  limited: "status=429 retry-after=3",
  invalid: "status=400",
  broken: "status=500",
  cut: "tokens=20 cut=9",
  ended: "tokens=20 end=9",
};

// call makes a call, which hands over what it gets of the answer.
export async function call(name, make) {
  const got = [];
  let thrown = null;
  try {
    await make((part) => got.push(part));
  } catch (error) {
    thrown = told(error);
  }
  console.log(JSON.stringify({ call: name, got, thrown }));
}

// told is what an application can know of an error.
export function told(error) {
  const { name, message, status, statusCode, code, type, requestID } = error;
  const header = (name) => error.headers?.get?.(name) ?? error.responseHeaders?.[name];
  return {
    class: error.constructor.name,
    name, message, status: status ?? statusCode, code, type, requestID,
    body: error.error ?? error.responseBody ?? error.data,
    retryAfter: header("retry-after"),
  };
}
