# What the rules of doors.yml must find (ruleid) and must not (ok). Never imported.


# ruleid: view-without-permission
@require_POST
def open_to_all(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")


# ruleid: view-without-permission
@never_cache
@require_safe
def read_by_all(request: HttpRequest, number: int) -> HttpResponse:
    return render(request, "x.html")


# ok: view-without-permission
@permission("customer")
@require_POST
def named(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")


# ok: view-without-permission
def no_view(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")


# ruleid: staff-change-without-proof
@permission("staff:vendors.write")
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    return redirect("x")


# ok: staff-change-without-proof
@permission("staff:vendors.write")
@require_POST
@needs_proof
def change_proved(request: HttpRequest) -> HttpResponse:
    return redirect("x")


# ok: staff-change-without-proof
@permission("staff")
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    return redirect("x")


# ruleid: staff-page-kept-by-caches
@permission("staff:people.read")
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")


# ok: staff-page-kept-by-caches
@permission("staff:people.read")
@never_cache
@require_safe
def people_fresh(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")


# ok: staff-page-kept-by-caches
@permission("public")
@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    return render(request, "x.html")
