// Sends files in parts, and goes on where it stood when the connection broke: see portal/uploads.py.

const PART_BYTES = 4 * 1024 * 1024
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000

// Uploads outlive the runs of the page, so they belong to the element and not to a run.
const drops = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const drop = drops.get(parentElement) ?? { sending: [], done: [] }
  drops.set(parentElement, drop)
  Object.assign(drop, { data, tell: setTriggerValue, list: parentElement.querySelector(".files") })

  const zone = parentElement.querySelector(".zone")
  const input = parentElement.querySelector("input")
  const browse = parentElement.querySelector(".browse")
  parentElement.querySelector(".hint").textContent = data.hint
  browse.disabled = input.disabled = data.disabled
  browse.onclick = () => input.click()
  input.onchange = () => {
    take(drop, [...input.files])
    input.value = ""
  }
  zone.ondragover = (event) => {
    event.preventDefault()
    zone.classList.toggle("over", !data.disabled)
  }
  zone.ondragleave = () => zone.classList.remove("over")
  zone.ondrop = (event) => {
    event.preventDefault()
    zone.classList.remove("over")
    if (!data.disabled) take(drop, [...event.dataTransfer.files])
  }
  return () => drop.sending.forEach((one) => one.stop())
}

function take(drop, files) {
  for (const file of files) {
    const one = new Sending(drop, file)
    drop.sending.push(one)
    one.run()
  }
}

// Told once nothing is on its way any more, so that files that were chosen together stay together.
function settle(drop, one, upload) {
  drop.sending = drop.sending.filter((other) => other !== one)
  if (upload) drop.done.push(upload)
  if (!drop.sending.length && drop.done.length) {
    drop.tell("done", drop.done)
    drop.done = []
  }
}

class Sending {
  constructor(drop, file) {
    this.drop = drop
    this.file = file
    this.stopped = false
    this.row = document.createElement("li")
    const part = (tag, name) => {
      const element = document.createElement(tag)
      element.className = name
      this.row.append(element)
      return element
    }
    this.name = part("span", "name")
    this.cancel = part("button", "cancel")
    this.bar = part("progress", "bar")
    this.status = part("span", "status")
    this.name.textContent = file.name
    this.bar.max = Math.max(file.size, 1)
    this.bar.setAttribute("aria-label", `How much of ${file.name} has arrived`)
    this.cancel.type = "button"
    this.cancel.textContent = "Cancel"
    this.cancel.onclick = () => this.giveUp()
    drop.list.append(this.row)
  }

  async run() {
    try {
      const begun = await this.ask("POST", "/upload", {
        filename: this.file.name,
        bytes: this.file.size,
        fingerprint: `${this.file.name}:${this.file.size}:${this.file.lastModified}`,
      })
      this.id = begun.body.id
      await this.sendFrom(begun.body.offset)
      this.say("Looking at it …")
      const made = await this.ask("POST", `/upload/${this.id}`)
      this.row.remove()
      settle(this.drop, this, made.body.upload)
    } catch (error) {
      if (this.stopped) return
      this.fail(error.message)
      settle(this.drop, this, null)
    }
  }

  async sendFrom(offset) {
    while (offset < this.file.size) {
      this.arrived(offset)
      const sent = await this.part(offset)
      if (sent === null) this.say("The connection broke. Going on as soon as it is back …")
      if (sent === null) await pause(FIRST_WAIT_MS)
      offset = sent ?? Number((await this.ask("HEAD", `/upload/${this.id}`)).offset)
    }
    this.arrived(offset)
  }

  // Where the next part begins; null where the connection broke, or the upload stands elsewhere.
  part(offset) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      this.stop = () => {
        this.stopped = true
        request.abort()
        reject(new Error("stopped"))
      }
      request.upload.onprogress = (event) => this.arrived(offset + event.loaded)
      request.onerror = request.ontimeout = () => resolve(null)
      request.onload = () => {
        if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")))
        else if (request.status === 409 || request.status >= 500) resolve(null)
        else reject(new Error(sentence(request.responseText)))
      }
      request.open("PATCH", this.address(`/upload/${this.id}`))
      request.setRequestHeader("Upload-Offset", String(offset))
      request.send(this.file.slice(offset, offset + PART_BYTES))
    })
  }

  // Asked again with growing patience while nobody answers.
  async ask(method, path, body) {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      let answer = null
      try {
        answer = await fetch(this.address(path), { method, body: body && JSON.stringify(body) })
      } catch {
        this.say("No connection. Trying again …")
      }
      if (this.stopped) throw new Error("stopped")
      if (answer?.ok) {
        const offset = answer.headers.get("Upload-Offset")
        return { offset, body: method === "POST" ? await answer.json() : null }
      }
      if (answer && answer.status < 500) throw new Error(sentence(await answer.text()))
      await pause(wait)
    }
  }

  address(path) {
    return path + this.drop.data.link
  }

  stop() {
    this.stopped = true
  }

  giveUp() {
    this.stop()
    this.row.remove()
    if (this.id) fetch(this.address(`/upload/${this.id}`), { method: "DELETE" }).catch(() => {})
    settle(this.drop, this, null)
  }

  arrived(bytes) {
    this.bar.value = Math.min(bytes, this.file.size)
    this.say(`${megabytes(this.bar.value)} of ${megabytes(this.file.size)}`)
  }

  say(words) {
    this.status.textContent = words
  }

  fail(words) {
    this.row.classList.add("failed")
    this.bar.remove()
    this.say(words)
    this.cancel.textContent = "Close"
    this.cancel.onclick = () => this.row.remove()
  }
}

function sentence(text) {
  try {
    return JSON.parse(text).message
  } catch {
    return "This file could not be taken. Load the page again, and sign in if you are asked to."
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function megabytes(bytes) {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`
}
