/**
 * What ONNX Runtime says of a file that it does not take, in plain words that complete the sentence "net.onnx …"; its own
 * are for the details.
 */
export function loadProblem(said: string, version: string): string {
  const runtime = `ONNX Runtime ${version}`
  const unknown =
    /No Op registered for (?<op>\S+)/.exec(said) ??
    /(?<op>[\w.]+:?\w+)\(-?\d*\) is not a registered function/.exec(said)
  if (unknown?.groups?.op !== undefined)
    return `uses the operator "${unknown.groups.op}", which ${runtime} does not have`
  const opset = /Opset (?<asked>\d+) is under development.*till opset (?<known>\d+)/s.exec(said)?.groups
  if (opset !== undefined) {
    return `needs version ${opset.asked ?? ''} of the ONNX operators; export it for version ${opset.known ?? ''} or older`
  }
  return `is not understood by ${runtime}; export the network again or choose another one`
}

/** Of what ONNX Runtime says: it names its sources before it, and stacks after it. */
export function firstLine(message: string): string {
  const [line = ''] = message.trim().split('\n', 1)
  return line.replace(/^\/\S+\s+/, '').slice(0, 300)
}
