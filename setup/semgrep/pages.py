# What the rules of pages.yml must find (ruleid) and must not (ok). Never imported.


def markup(name):
    # ruleid: markup-from-a-value
    one = mark_safe(f"<b>{name}</b>")
    # ruleid: markup-from-a-value
    two = format_html(f"<b>{name}</b>")
    # ok: markup-from-a-value
    three = mark_safe("<hr>")
    # ok: markup-from-a-value
    four = format_html("<b>{}</b>", name)
    return one, two, three, four


def onward(request):
    # ruleid: redirect-to-what-was-asked
    return redirect(request.GET["next"])


def onward_later(request):
    wanted = request.POST.get("next", "/")
    # ruleid: redirect-to-what-was-asked
    return HttpResponseRedirect(wanted)


def onward_judged(request):
    wanted = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        # ok: redirect-to-what-was-asked
        return redirect(wanted)
    # ok: redirect-to-what-was-asked
    return redirect("/")


def to_a_place_of_ours(request, number):
    # ok: redirect-to-what-was-asked
    return redirect("orders:order", number)
