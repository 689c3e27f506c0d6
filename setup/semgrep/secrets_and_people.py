# What the rules of secrets_and_people.yml must find (ruleid) and must not (ok). Never imported.


def same(given, token, expected, state, State, code):
    # ruleid: secret-compared-by-equality
    if token == given:
        return True
    # ruleid: secret-compared-by-equality
    if given.signature != expected:
        return False
    # ruleid: secret-compared-by-equality
    if hmac.new(key, body, "sha256").hexdigest() == given:
        return True
    # ok: secret-compared-by-equality
    if hmac.compare_digest(token, given):
        return True
    # ok: secret-compared-by-equality
    if token == "":
        return False
    # ok: secret-compared-by-equality
    return state == State.OPEN


def log(person, request, error, job):
    # ruleid: person-in-a-log
    _logger.info("signed in: %s", person.email)
    # ruleid: person-in-a-log
    logging.warning(f"refused {request.POST}")
    # ok: person-in-a-log
    _logger.info("signed in: %s", person.id)
    # ok: person-in-a-log
    _logger.warning("job %s failed: %s", job.id, type(error).__name__)


def keep(photo, path, store):
    # ruleid: picture-on-the-disk
    with tempfile.NamedTemporaryFile() as file:
        file.write(photo)
    # ruleid: picture-on-the-disk
    path.write_bytes(photo)
    # ruleid: picture-on-the-disk
    with open(path, "wb") as file:
        file.write(photo)
    # ok: picture-on-the-disk
    with open(path, "rb") as file:
        file.read()
    # ok: picture-on-the-disk
    return store.seal(plaintext=photo)
